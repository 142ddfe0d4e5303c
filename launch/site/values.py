"""Values of the entries of `resources:`, each read by a function that knows its forms."""

from typing import Any

NAMES_FORMS = 'a name, "n1,n[3-5]" or a list of names'
MAIL_FORMS = "one or more of BEGIN, END, FAIL, REQUEUE, TIME_LIMIT, ALL, ..., as sbatch has them"
EXCLUSIVE_FORMS = "true, false, user or mcs"
GPU_TYPE_FORMS = "the model alone, e.g. a100; how many is said by gpus_per_node"

MOST = 2**31 - 1
"""Of anything that is counted; Slurm has no room for more."""

_MAILS = frozenset(
    {
        *("NONE", "BEGIN", "END", "FAIL", "REQUEUE", "ALL", "INVALID_DEPEND", "STAGE_OUT"),
        *("TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80", "TIME_LIMIT_50", "ARRAY_TASKS"),
    }
)


def text(value: Any) -> str:
    """A name, or another word that Slurm judges.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(value)
    return value


def count(value: Any) -> int:
    """A whole number from 1.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST:
        raise ValueError(value)
    return value


def count_or_none_at_all(value: Any) -> int:
    """A whole number from 0.

    Raises:
        ValueError: it is none.
    """
    return 0 if value == 0 and value is not False else count(value)


def gpu_type(value: Any) -> str:
    """A GPU's model, without what `gres` puts around it.

    Raises:
        ValueError: it is none.
    """
    if set(text(value)) & set(":,= ") or value.lower() == "gpu":
        raise ValueError(value)
    return str(value)


def names(value: Any) -> str:
    """Nodes, as Slurm lists them.

    Raises:
        ValueError: there are none.
    """
    return ",".join(map(text, value)) if isinstance(value, list) and value else text(value)


def mail_types(value: Any) -> str:
    """When Slurm writes mails, in capitals.

    Raises:
        ValueError: sbatch knows no such occasion.
    """
    kinds = [kind.strip().upper() for kind in names(value).split(",")]
    if not _MAILS.issuperset(kinds):
        raise ValueError(value)
    return ",".join(kinds)


def exclusive(value: Any) -> bool | str:
    """Whether a node is nobody else's; `user` and `mcs` share it with one's own jobs.

    Raises:
        ValueError: it is none of Slurm's words.
    """
    if value in ("user", "mcs"):
        return str(value)
    if value not in (True, False):
        raise ValueError(value)
    return bool(value)
