"""Our part of the checkpoint that training starts from."""

from dataclasses import dataclass, field
from typing import Any

from pcm.console import tell
from pcm.errors import PcmError
from pcm.internals.loops import Place, begin_epoch_again
from pcm.rank.ranks import Ranks
from pcm.training.states.parameter_groups import Groups
from pcm.training.states.rank_state import without_own_values

KEY = "pcm"
"""Of our own part of a checkpoint."""

_WEIGHTS = "state_dict"
"""Of Lightning's part of one that is no sharded one."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where training starts, and as what.

    Attributes:
        place: where it was taken.
        state: this rank's state there; None if another number of ranks wrote it.
        groups: what each optimizer held there; empty of checkpoints of 0.4 and before.
    """

    place: Place
    state: dict[str, Any] | None
    groups: list[Groups | None] = field(default_factory=list)


def read_start(checkpoint: dict[str, Any], ranks: Ranks, is_own: bool) -> Start:
    """This rank's part of a checkpoint.

    Raises:
        PcmError: it cannot be continued here.
    """
    if KEY not in checkpoint:
        raise PcmError(
            "the checkpoint was not written by pcm: it has weights, and no place to continue from"
        )
    ours = checkpoint[KEY]
    place, states = Place(ours["place"]), ours["ranks"]
    if len(states) == ranks.world_size:
        mine = states[ranks.rank]
        own = mine if is_own else without_own_values(mine)
        return Start(place, own, ours.get("groups", []))
    were = f"the checkpoint was written by {len(states)} ranks, and these are {ranks.world_size}"
    if _WEIGHTS not in checkpoint:
        return _shared_anew(checkpoint, place, were)
    if is_own:
        raise PcmError(
            f"{were}: training could not go on exactly as before",
            "resume with as many ranks, or start a new experiment from this checkpoint",
        )
    if place is not Place.EPOCH:
        raise PcmError(
            f"{were}, and it was taken inside an epoch, whose data is shared out differently",
            "start from a checkpoint of an epoch's end",
        )
    tell(f"warning: {were}; random generators are seeded anew")
    return Start(place, None, ours.get("groups", []))


def _shared_anew(checkpoint: dict[str, Any], place: Place, were: str) -> Start:
    """The start from shards that were shared out to another number of ranks."""
    told = f"warning: {were}: its shards are shared out anew; random generators are seeded anew"
    if place is not Place.EPOCH:
        # What of the epoch's data these ranks would have had by now, nobody can say.
        begin_epoch_again(checkpoint["loops"], place)
        told += "; it was taken inside an epoch, which is begun again"
    tell(told)
    return Start(Place.EPOCH, None)
