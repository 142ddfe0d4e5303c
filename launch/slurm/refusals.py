"""What sbatch says when it doesn't take a job -> what a person can do about it. Pure."""

from pcm.errors import RefusedError

_HINTS = (
    (
        ("submit limit", "MaxSubmitJob", "policy", "GrpSubmit"),
        "your account may have only so many jobs in the queue. Launch again when some have ended; "
        "`max_array_size` in the site's file makes smaller arrays, so that a part fits",
    ),
    (
        ("temporarily unable", "Resource temporarily unavailable", "job table", "MaxJobCount"),
        "Slurm's job table is full; launch again when there are fewer jobs in the queue",
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


def refusal(errors: str, count: int) -> RefusedError:
    """An error for a person.

    Args:
        errors: what sbatch printed.
        count: of the experiments that it was about.
    """
    said = " ".join(line.removeprefix("sbatch: error: ") for line in _lines(errors))
    told = said or "sbatch gave no answer"
    hint = next(
        (hint for words, hint in _HINTS if any(word.lower() in told.lower() for word in words)),
        "`pcm launch --dry-run` shows what sbatch gets",
    )
    return RefusedError(f"Slurm did not take {count:,} experiments: {told}", hint)


def _lines(errors: str) -> list[str]:
    """Each line once: while it tries again, sbatch repeats itself."""
    return list(dict.fromkeys(line.strip() for line in errors.splitlines() if line.strip()))
