"""Which variables go into an image, and how they get there. Pure."""

import re
from collections.abc import Mapping

PREFIX = "APPTAINERENV_"
"""Apptainer sets what has this beginning inside; unlike an argument, nobody sees it in `ps`."""

_NAMES = frozenset(
    {
        *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR"),
        *("PYTHONUNBUFFERED", "USER", "LOGNAME", "TZ", "NO_COLOR"),
        *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_LAUNCH_BLOCKING"),
        *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
        *("OMP_PROC_BIND", "OMP_PLACES", "CUBLAS_WORKSPACE_CONFIG"),
        *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
        *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
    }
)

_BEGINNINGS = (
    *("NEPTUNE_", "WANDB_", "MLFLOW_", "TRACKIO_", "COMET_"),
    *("NCCL_", "GLOO_", "UCX_", "TORCH_", "PYTORCH_", "PCM_"),
)

_OUTSIDE = frozenset({"PCM_PYTHON", "PCM_RUNS_DIR", "TORCH_HOME"})
"""Paths of the machine, which mean nothing inside."""

_BREAKING = re.compile(
    r"(APPTAINERENV|SINGULARITYENV)_(PYTHON(PATH|HOME|STARTUP)|LD_\w+|CONDA_\w+|VIRTUAL_ENV|PATH)"
)
"""Somebody else's Python must not get inside this way either."""

_FIXED = {
    # Packages under the user's home are another Python's.
    "PYTHONNOUSERSITE": "1",
    # `python -m` would take a package of the working directory for the image's own.
    "PYTHONSAFEPATH": "1",
    "PYTHONUTF8": "1",
}


def inside(variables: Mapping[str, str], asked: Mapping[str, str | None]) -> dict[str, str]:
    """The variables that training gets inside an image.

    Args:
        variables: those that it would get without one.
        asked: further ones; None takes the value from `variables`, if it is there.
    """
    kept = {name: value for name, value in variables.items() if _goes_in(name)}
    wanted = {
        name: variables.get(name) if value is None else value for name, value in asked.items()
    }
    return kept | _FIXED | {name: value for name, value in wanted.items() if value is not None}


def apptainer_environment(
    variables: Mapping[str, str], asked: Mapping[str, str | None]
) -> dict[str, str]:
    """Variables of the `apptainer` process itself, from those of training without an image."""
    outer = {name: value for name, value in variables.items() if not _BREAKING.fullmatch(name)}
    inner = inside(variables, asked)
    return outer | {f"{PREFIX}{name}": value for name, value in inner.items()}


def variables_inside(outer: Mapping[str, str]) -> dict[str, str]:
    """What Apptainer sets inside of the variables of its own process."""
    asked = ((name, value) for name, value in outer.items() if name.startswith(PREFIX))
    return {name.removeprefix(PREFIX): value for name, value in asked}


def _goes_in(name: str) -> bool:
    return name in _NAMES or (name.startswith(_BEGINNINGS) and name not in _OUTSIDE)
