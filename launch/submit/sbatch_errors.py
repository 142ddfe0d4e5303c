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
    (("invalid feature",), "`sinfo -o '%P %f'` lists the features of nodes, for --constraint"),
    (("reservation",), "`scontrol show reservation` lists them, for --reservation"),
    (
        ("node name", "node list", "nodelist"),
        "`sinfo -N` lists the nodes, for --nodelist, --exclude",
    ),
    (("begin",), "--begin takes 16:00, now+1hour or 2027-01-20T12:34"),
    (("mutually exclusive",), "one way to ask for memory, see `memory:` of a site file"),
    (("memory specification",), "`memory:` of a site file says how memory is asked for there"),
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
