"""A user's own loader, whose passes can be gone through again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from pcm import generators
from pcm.internals.workers import forget_workers
from pcm.training.states.loader_state import LoaderState
from pcm.training.states.streams import Stream

State = dict[str, Any]


class Replayable:
    """A user's own loader, which records what it was like where its passes begin.

    Nothing is drawn before the first batch of a pass is asked for. So a pass that starts
    from the recorded state goes through the same batches again.

    Args:
        is_open: whether its passes have batches. Else they have one, None: Lightning fetches a
            batch long before training begins, and it would be missing from an endless stream.
        is_recorded: whether passes are to be gone through again. A validation's are not: it is
            done again as a whole.
    """

    def __init__(self, loader: Any, *, is_open: bool = True, is_recorded: bool = True) -> None:
        self._loader = loader
        self._loader_state = LoaderState(loader)
        self._is_open = is_open
        self._is_recorded = is_recorded
        self.passes: list[State] = []
        self._recorded: list[State] = []
        self._source: _Source | None = None
        self._recorded_source: State | None = None

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        return _Pass(self) if self._is_open else iter([None])

    def __getattr__(self, name: str) -> Any:
        # Lightning looks for samplers. It mustn't find a loader's own way to resume, which
        # loses an epoch if it is saved at another's last batch.
        if name in ("_loader", "state_dict", "load_state_dict"):
            raise AttributeError(name)
        return getattr(self._loader, name)

    def begin_epoch(self) -> None:
        """Forget the passes of the epoch before."""
        self._is_open = True
        self.passes = []

    def rewind(self, passes: list[State]) -> None:
        """Have the next passes start as the recorded ones did."""
        self._is_open = True
        self.passes = []
        self._recorded = list(passes)

    def capture(self) -> State:
        """What is needed to go on."""
        source = self._source
        is_one = source is not None and source.is_held_by(self._loader)
        return {
            "passes": self.passes,
            **self._own(),
            "source": source.origin() if source is not None and is_one else None,
        }

    def restore(self, state: State) -> None:
        """Set what was captured, but for the passes, which `rewind` goes through again."""
        self._set_own(state)
        if self._source is None:
            self._recorded_source = state.get("source")

    def begin_pass(self) -> "_Source":
        """Where the batches of a new pass come from."""
        recorded = self._recorded.pop(0) if self._recorded else None
        if recorded is not None:
            generators.restore(recorded["shared"])
            self._set_own(recorded)
            self._recorded_source = recorded.get("source")
        begun = {"shared": generators.capture(), **self._own()}
        if self._recorded_source is not None:
            origin, self._recorded_source = self._recorded_source, None
            self._source = self._find_again(origin)
            begun["source"] = origin
        else:
            self._begin_source(begun, is_old=recorded is not None and "kept" not in recorded)
        assert self._source is not None
        if self._is_recorded:
            self.passes.append(begun)
        return self._source

    def _begin_source(self, begun: State, *, is_old: bool) -> None:
        """A new iterator; or the one before, where the loader hands it out again."""
        loader = self._loader
        if getattr(loader, "persistent_workers", False):
            forget_workers(loader)
        iterator = iter(loader)
        if self._source is not None and iterator is self._source.iterator:
            begun["source"] = self._source.origin()
            return
        if _draws_as_it_goes(loader) and not is_old:
            begun["stream"] = _new_stream()
        self._source = _Source(iterator, dict(begun), _stream_of(begun))

    def _find_again(self, origin: State) -> "_Source":
        """The loader's only iterator, with as many batches taken from it."""
        present = generators.capture()
        generators.restore(origin["shared"])
        self._set_own(origin)
        begun = {name: value for name, value in origin.items() if name != "taken"}
        source = _Source(iter(self._loader), begun, _stream_of(begun))
        for _ in range(origin["taken"]):
            source.take()
        generators.restore(present)
        return source

    @property
    def own_states(self) -> list[torch.Tensor]:
        """The states of the generators that the user gave to the loader."""
        return [generator.get_state() for generator in self._own_generators()]

    @own_states.setter
    def own_states(self, states: list[torch.Tensor]) -> None:
        for generator, state in zip(self._own_generators(), states, strict=True):
            generator.set_state(state)

    def _own(self) -> State:
        return {"own": self.own_states, "kept": self._loader_state.capture()}

    def _set_own(self, state: State) -> None:
        self.own_states = state["own"]
        # Checkpoints of 0.2 and before have nothing else.
        self._loader_state.restore(state.get("kept", []))

    def _own_generators(self) -> list[torch.Generator]:
        """Those that the user gave to the loader."""
        batches = getattr(self._loader, "batch_sampler", None)
        holders = (self._loader, getattr(self._loader, "sampler", None), batches)
        inner = getattr(batches, "sampler", None)
        found = (getattr(holder, "generator", None) for holder in (*holders, inner))
        return list(
            {id(each): each for each in found if isinstance(each, torch.Generator)}.values()
        )


class _Pass:
    """One pass, which begins with its first batch, and leaves its iterator open at its end."""

    def __init__(self, loader: Replayable) -> None:
        self._loader = loader
        self._source: _Source | None = None

    def __iter__(self) -> "_Pass":
        return self

    def __next__(self) -> Any:
        if self._source is None:
            self._source = self._loader.begin_pass()
        return self._source.take()


@dataclass
class _Source:
    """An iterator of the loader's.

    Attributes:
        begun: what there was at its beginning.
        stream: the generators that it draws from, if it has them for itself.
        taken: batches taken from it.
    """

    iterator: Iterator[Any]
    begun: State
    stream: Stream | None
    taken: int = 0

    def take(self) -> Any:
        """The next batch."""
        if self.stream is None:
            batch = next(self.iterator)
        else:
            with self.stream:
                batch = next(self.iterator)
        self.taken += 1
        return batch

    def origin(self) -> State:
        """What finds it again."""
        return {**self.begun, "taken": self.taken}

    def is_held_by(self, loader: Any) -> bool:
        """Whether the loader keeps this iterator, to hand it out again."""
        is_held = any(each is self.iterator for each in getattr(loader, "__dict__", {}).values())
        return not isinstance(loader, DataLoader) and (loader is self.iterator or is_held)


def _draws_as_it_goes(loader: Any) -> bool:
    """Whether batches may depend on what is drawn from pass to batch in this very process.

    A stream's shuffling buffer does so. It has generators for itself, as in a worker's process:
    what training draws in between would change what comes next.
    """
    if not isinstance(loader, DataLoader):
        return True
    return isinstance(loader.dataset, IterableDataset) and loader.num_workers == 0


def _stream_of(begun: State) -> Stream | None:
    state = begun.get("stream")
    return None if state is None else Stream(state)


def _new_stream() -> generators.State:
    """States of generators with a seed that is drawn from the present ones."""
    seed = int(torch.randint(2**31, ()))
    present = generators.capture()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    stream = generators.capture()
    generators.restore(present)
    return stream
