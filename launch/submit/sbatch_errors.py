"""What sbatch says when it doesn't take a job -> what a person can do about it. Pure."""

import re

from pcm.errors import RefusedError

_NO_ROOM = re.compile(
    r"SubmitJob|temporarily una|job queue full|job table|MaxJobCount", re.IGNORECASE
)
"""A QOS or an association may have so many jobs in the queue, or Slurm's job table is full."""

_HINTS = (
    (
        ("policy",),
        "`sacctmgr show user $USER -s` and `sacctmgr show qos` list what you may ask for",
    ),
    (("invalid job array",), "the site's largest array is smaller; set `max_array_size` for it"),
    (("invalid partition",), "`sinfo -s` lists the partitions; choose one with --partition"),
    (("invalid account", "account/partition"), "`sacctmgr show user $USER -s` lists your accounts"),
    (("invalid qos",), "`sacctmgr show user $USER -s` lists what you may use"),
    (("time limit",), "ask for less with --time; `sinfo -o '%P %l'` lists the limits"),
    (
        ("node configuration", "more processors", "invalid generic resource", "invalid gres"),
        "no node has so many GPUs, cores or so much memory; `sinfo -Neo '%P %c %m %G'` lists them",
    ),
    (
        ("contact slurm controller", "timed out", "communication", "connection"),
        "the controller is down or busy, and it has not taken the jobs; launch again in a while",
    ),
)


_SILENCE = re.compile(
    r"timed out|contact slurm controller|communication|connection|zero bytes|gave no answer", re.I
)
"""Errors that don't tell whether the controller has got the request."""


def is_silence(errors: str) -> bool:
    """Whether a client of Slurm complains that it got no answer, rather than of the answer."""
    return _SILENCE.search(errors) is not None


class NoRoomError(RefusedError):
    """Slurm takes no more jobs for now; fewer might fit.

    Args:
        problem: what is not submitted.
        said: what sbatch printed.
    """

    def __init__(self, problem: str, said: str, hint: str | None = None) -> None:
        super().__init__(f"{problem}: {said}", hint)
        self.said = said


def refusal(errors: str, count: int) -> RefusedError:
    """An error for a person; a `NoRoomError` where it is a matter of waiting.

    Args:
        errors: what sbatch printed.
        count: of the experiments that it was about.
    """
    said = " ".join(line.removeprefix("sbatch: error: ") for line in _lines(errors))
    text = said or "sbatch gave no answer"
    problem = f"Slurm did not take {count:,} experiments"
    if _NO_ROOM.search(text):
        return NoRoomError(problem, text, "launch again when there are fewer jobs in the queue")
    hint = next(
        (hint for words, hint in _HINTS if any(word.lower() in text.lower() for word in words)),
        "`pcm launch --dry-run` shows what sbatch gets",
    )
    return RefusedError(f"{problem}: {text}", hint)


def _lines(errors: str) -> list[str]:
    """Each line once: while it tries again, sbatch repeats itself."""
    return list(dict.fromkeys(line.strip() for line in errors.splitlines() if line.strip()))
