"""Chains from configs: commands, names, own links, and what is refused."""

import bdb
import copy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pcm.chain import Chain
from pcm.errors import ConfigError, PcmError
from tests.unit.chain.batches import small_images
from tests.unit.chain.own_links import Offset

OWN = "tests.unit.chain.own_links"


def with_own_link(cfg: dict[str, Any], path: str = f"{OWN}:Offset") -> dict[str, Any]:
    """The tiny model with a link of the user's own at the end of `forward`."""
    link_cfg = {"start": 2.0}
    cfg["chain"].append({"name": "own", "chain_link_spec_path": path, "cfg": link_cfg})
    cfg["optimizers"][0]["links"].append("own")
    step = {"link": "own", "method": "shift", "kwargs": {"data_name": "latent"}}
    cfg["commands"][0]["processing_steps"].append(step)
    return cfg


def test_shipped_models_run_all_their_commands(
    shipped_cfg: dict[str, Any], digits: dict[str, Tensor]
) -> None:
    chain = Chain(shipped_cfg)
    for command in chain.commands:
        before = dict(digits)
        chain.run_command(command, digits)
        assert digits.keys() == before.keys()
        assert all(digits[name] is before[name] for name in before)
    batch, _ = chain.run_command("reconstruct", digits)
    assert batch["reconstruction"].shape == digits["img"].shape
    assert chain.run_command("encode", digits)[0]["latent"].shape[0] == len(digits["img"])


def test_samples_of_the_conditional_model(
    shipped_cfg: dict[str, Any], digits: dict[str, Tensor]
) -> None:
    chain = Chain(shipped_cfg)
    if "sample_prior" not in chain.commands:
        assert all(link["name"] != "condition_embedding" for link in shipped_cfg["chain"])
        return
    conditions = {name: data for name, data in digits.items() if name != "img"}
    batch, _ = chain.run_command("sample_prior", conditions)
    assert batch["samples"].shape == (6, 8, 1, 28, 28)
    assert batch["condition_token_ids"] is digits["condition_token_ids"]


def test_every_parameter_of_the_shipped_models_is_trained(
    shipped_cfg: dict[str, Any], digits: dict[str, Tensor]
) -> None:
    chain = Chain(shipped_cfg)
    chain.loss_manager.start_epoch(0)
    _, losses = chain(digits)
    chain.loss_manager(losses).total.backward()
    without = [name for name, each in chain.named_parameters() if each.grad is None]
    assert without == []
    assert not chain.unused_parameters


def test_losses_have_the_links_name(tiny_cfg: dict[str, Any]) -> None:
    _, losses = Chain(tiny_cfg)(small_images(4))
    assert list(losses) == [
        "postr_neg_entr-posterior",
        "prior_nll-prior",
        "reconstr-reconstruction_loss",
    ]
    assert losses["postr_neg_entr-posterior"]["data"].shape == (4, 1)
    assert losses["prior_nll-prior"]["data"].shape == (4, 3)
    assert losses["reconstr-reconstruction_loss"]["data"].shape == (4, 3)


def test_a_link_that_runs_twice_gives_two_losses(tiny_cfg: dict[str, Any]) -> None:
    steps = tiny_cfg["commands"][0]["processing_steps"]
    steps[4:4] = [copy.deepcopy(steps[4]), copy.deepcopy(steps[4])]
    _, losses = Chain(tiny_cfg)(small_images(4))
    names = [name for name in losses if name.startswith("prior_nll")]
    assert names == ["prior_nll-prior", "prior_nll-prior.1", "prior_nll-prior.2"]


def test_dynamic_kwargs_are_added_and_win(tiny_cfg: dict[str, Any]) -> None:
    chain = Chain(with_own_link(tiny_cfg))
    images = small_images(4)
    dynamic: dict[str, dict[str, Any]] = {
        "posterior": {"n_latent_samples": 3},
        "own": {"factor": 10.0},
    }
    torch.manual_seed(0)
    plain, _ = chain.run_command("forward", images)
    torch.manual_seed(0)
    shifted, _ = chain.run_command("forward", images, dynamic)
    torch.testing.assert_close(shifted["latent"], plain["latent"] + 9 * 2.0)


def test_a_link_of_ones_own_takes_part(tiny_cfg: dict[str, Any]) -> None:
    chain = Chain(with_own_link(tiny_cfg))
    assert isinstance(chain.chain["own"], Offset)
    _, losses = chain(small_images(4))
    report = chain.loss_manager(losses)
    report.total.backward()
    assert report.parts["size-own"].item() == 4.0
    gradient = chain.chain["own"].offset.grad
    assert gradient is not None
    assert gradient.item() == pytest.approx(4.0, abs=0.5)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (f"{OWN}:Missing", "no such link"),
        ("no.such.module:Link", "no such link"),
        (f"{OWN}:NotALink", "must be a torch.nn.Module class"),
    ],
)
def test_own_links_that_cannot_be_had(tiny_cfg: dict[str, Any], path: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Chain(with_own_link(tiny_cfg, path))


def test_an_own_links_cfg_must_fit_its_structure(tiny_cfg: dict[str, Any]) -> None:
    cfg = with_own_link(tiny_cfg)
    cfg["chain"][-1]["cfg"] = {"start": "two"}
    with pytest.raises(ConfigError, match="start"):
        Chain(cfg)


def test_an_own_links_parameters_need_an_optimizer(tiny_cfg: dict[str, Any]) -> None:
    cfg = with_own_link(tiny_cfg)
    cfg["optimizers"][0]["links"].remove("own")
    with pytest.raises(ConfigError, match="'own' belongs to no optimizer"):
        Chain(cfg)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda cfg: cfg["chain"][0].update(name="a.b"), "can't have this name"),
        (lambda cfg: cfg["chain"][0].update(name="decoder"), "two links have one name"),
        (lambda cfg: cfg["commands"].pop(0), "forward"),
        (lambda cfg: cfg["commands"][1].update(command_name="forward"), "one name"),
        (
            lambda cfg: cfg["commands"][1]["processing_steps"][0].update(method="backward"),
            r"processing_steps.0.method: unknown method",
        ),
        (
            lambda cfg: cfg["commands"][1]["processing_steps"][0].update(link="claon"),
            r"processing_steps.0.link: unknown link",
        ),
        (lambda cfg: cfg["optimizers"].pop(), "prior"),
        (lambda cfg: cfg.pop("training"), "training"),
        (lambda cfg: cfg["chain"][0]["cfg"].update(input_dim="16"), "input_dim"),
    ],
)
def test_what_is_wrong_is_a_config_error(
    tiny_cfg: dict[str, Any], change: Any, problem: str
) -> None:
    change(tiny_cfg)
    with pytest.raises(ConfigError, match=problem):
        Chain(tiny_cfg)


def test_a_name_that_torch_refuses_is_a_config_error(tiny_cfg: dict[str, Any]) -> None:
    tiny_cfg["chain"].append({"name": "keys", "chain_link_spec_path": "misc/cloner", "cfg": {}})
    with pytest.raises(ConfigError, match="'keys'"):
        Chain(tiny_cfg)


def test_a_method_that_an_own_link_lacks_is_a_config_error(tiny_cfg: dict[str, Any]) -> None:
    cfg = with_own_link(tiny_cfg)
    cfg["commands"][0]["processing_steps"][-1]["method"] = "shove"
    with pytest.raises(ConfigError, match=r"no such method[\s\S]*own.shove"):
        Chain(cfg)


def test_an_unknown_command_is_answered_with_the_known(tiny_cfg: dict[str, Any]) -> None:
    with pytest.raises(PcmError, match=r"'decode'[\s\S]*forward, encode"):
        Chain(tiny_cfg).run_command("decode", {})


def test_an_error_in_a_step_says_which(tiny_cfg: dict[str, Any]) -> None:
    with pytest.raises(KeyError) as caught:
        Chain(tiny_cfg).run_command("encode", {"picture": torch.zeros(1)})
    (note,) = caught.value.__notes__
    assert note.startswith("in command 'encode', step 1: clone.forward(data_name='img'")
    assert note.endswith("the batch has picture")


def test_unused_parameters_are_seen(tiny_cfg: dict[str, Any]) -> None:
    assert not Chain(tiny_cfg).unused_parameters
    # Where every item's component is known, the mixture's weights play no part.
    step = tiny_cfg["commands"][0]["processing_steps"][4]
    step["method"] = "forward_known"
    step["kwargs"]["component_indicator_name"] = "component"
    assert Chain(tiny_cfg).unused_parameters


def test_parameters_of_links_outside_forward_are_unused(tiny_cfg: dict[str, Any]) -> None:
    del tiny_cfg["commands"][0]["processing_steps"][4]
    assert Chain(tiny_cfg).unused_parameters


def test_a_debugger_stops_in_run_command(tiny_cfg: dict[str, Any]) -> None:
    """A breakpoint in `run_command` is hit once a step, with the batch at hand."""
    chain_file = Path(sys.modules[Chain.__module__].__file__ or "")
    source = chain_file.read_text().splitlines()
    line = next(i for i, text in enumerate(source, 1) if "method(batch" in text)
    seen: list[tuple[str, list[str]]] = []

    class Recorder(bdb.Bdb):
        def user_line(self, frame: Any) -> None:
            if self.break_here(frame):
                seen.append((frame.f_locals["step"].link, sorted(frame.f_locals["batch"])))
            self.set_continue()

    debugger = Recorder()
    debugger.set_break(str(chain_file), line)
    images = small_images(2)
    chain = Chain(tiny_cfg)
    debugger.runcall(chain.run_command, "encode", images)
    assert seen == [
        ("clone", ["img"]),
        ("rearrange", ["img", "latent"]),
        ("encoder", ["img", "latent"]),
    ]
