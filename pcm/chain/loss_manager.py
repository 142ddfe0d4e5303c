"""From the losses of the links to the one number that is minimised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import einops
from torch import Tensor

from pcm.chain.loss_schedules import build_schedules, scale_after
from pcm.chain.reductions import Reductor, get_reductor
from pcm.chain.types import StructuredLoss
from pcm.config.structures.losses import LOSS_MANAGER
from pcm.errors import ConfigError, Fault


@dataclass(frozen=True, slots=True)
class LossReport:
    """What came of the losses of one batch.

    Attributes:
        total: the scalar to minimise, with its graph.
        parts: mean of each loss before its coefficient, without graph, by
            `<loss_name>-<link_name>`.
        coefs: the scaled coefficients, by the same names.
    """

    total: Tensor
    parts: dict[str, Tensor]
    coefs: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Reduction:
    pattern: str
    reductor: Reductor
    pre_scale: float | None
    post_scale: float | None

    def __call__(self, loss: Tensor) -> Tensor:
        if self.pre_scale is not None:
            loss = self.pre_scale * loss
        reduced: Tensor = einops.reduce(loss, self.pattern, self.reductor)
        return reduced if self.post_scale is None else self.post_scale * reduced


class LossManager:
    """Weighs the losses and reduces them to a scalar.

    Unreduced losses, each times its scaled coefficient, are summed with broadcasting and
    taken through the reductions in order; reduced ones are added to that.
    """

    _config_structure = LOSS_MANAGER

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        self._reductions = [
            _Reduction(
                pattern=spec["reduce_pattern"],
                reductor=get_reductor(spec["reductor_name"], spec["kwargs"]),
                pre_scale=spec["pre_scale"],
                post_scale=spec["post_scale"],
            )
            for spec in cfg["reductions"]
        ]
        self._schedules = {
            f"{spec['loss_name']}-{spec['link_name']}": build_schedules(spec["schedulers_cfg"])
            for spec in cfg["loss_coef_schedulers"] or ()
        }
        self._scales: dict[str, float] = {}
        self._set_epochs_started(0)

    def start_epoch(self, epoch: int) -> None:
        """Step the schedulers to training epoch `epoch`, from 0.

        They step at each epoch's start, the first one included: a scheduler of N epochs has
        gone (epoch + 1)/N of its way. Called again for one epoch it changes nothing.
        """
        self._set_epochs_started(epoch + 1)

    def state_dict(self) -> dict[str, int]:
        """The schedulers' place, for the checkpoint."""
        return {"epochs_started": self._epochs_started}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Take the schedulers' place from a checkpoint."""
        self._set_epochs_started(state["epochs_started"])

    def __call__(self, losses: Mapping[str, StructuredLoss]) -> LossReport:
        """Combine the losses of one batch, by `<loss_name>-<link_name>`.

        Raises:
            ConfigError: there are no losses, the reductions don't lead to a scalar, or a
                scheduler's loss doesn't exist.
        """
        self._check(losses)
        coefs = {name: loss["coef"] * self._scales.get(name, 1.0) for name, loss in losses.items()}
        weighted = {name: _times(coefs[name], loss["data"]) for name, loss in losses.items()}
        unreduced = [weighted[name] for name, loss in losses.items() if not loss["reduced"]]
        terms = [weighted[name] for name, loss in losses.items() if loss["reduced"]]
        if unreduced:
            terms.append(self._reduce(_sum(unreduced)))
        parts = {name: loss["data"].detach().mean() for name, loss in losses.items()}
        return LossReport(total=_sum(terms), parts=parts, coefs=coefs)

    def _reduce(self, loss: Tensor) -> Tensor:
        for reduction in self._reductions:
            loss = reduction(loss)
        if loss.ndim:
            fault = Fault(
                "the reductions don't lead to a scalar",
                key="loss_manager.reductions",
                found=f"a loss of shape {tuple(loss.shape)}",
                hint="let the last reduce_pattern end in '->'",
            )
            raise ConfigError([fault])
        return loss

    def _check(self, losses: Mapping[str, StructuredLoss]) -> None:
        missing = self._schedules.keys() - losses.keys()
        if losses and not missing:
            return
        if not losses:
            raise ConfigError([Fault("no link gives a loss", key="commands.forward")])
        fault = Fault(
            "a scheduler's loss doesn't exist",
            key="loss_manager.loss_coef_schedulers",
            found=", ".join(sorted(missing)),
            expected=f"<loss_name>-<link_name> of {', '.join(losses)}",
        )
        raise ConfigError([fault])

    def _set_epochs_started(self, epochs: int) -> None:
        self._epochs_started = epochs
        self._scales = {
            name: scale_after(schedules, epochs) for name, schedules in self._schedules.items()
        }


def _times(coef: float, data: Tensor) -> Tensor:
    return data if coef == 1.0 else coef * data


def _sum(tensors: list[Tensor]) -> Tensor:
    """Sum with broadcasting, in order."""
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total
