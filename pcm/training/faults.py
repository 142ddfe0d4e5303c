"""What is wrong with an experiment's config, as training finds it."""

from pcm.errors import ConfigError, Fault


def config_error(
    key: str, problem: str, hint: str | None = None, found: str | None = None
) -> ConfigError:
    """One fault of the experiment's config."""
    return ConfigError([Fault(problem, file="config.yaml", key=key, found=found, hint=hint)])
