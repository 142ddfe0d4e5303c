"""What is wrong with an experiment's config, as training finds it."""

import traceback
from pathlib import Path

import lightning

from pcm.errors import ConfigError, Fault

_LIGHTNING = Path(lightning.__file__).parent


def config_error(
    key: str, problem: str, hint: str | None = None, found: str | None = None
) -> ConfigError:
    """One fault of the experiment's config."""
    return ConfigError([Fault(problem, file="config.yaml", key=key, found=found, hint=hint)])


def is_lightnings(error: BaseException) -> bool:
    """Whether it was raised by Lightning's own code, and by nothing that this had called."""
    *_, innermost = traceback.walk_tb(error.__traceback__)
    return Path(innermost[0].f_code.co_filename).is_relative_to(_LIGHTNING)
