"""Every structure of the catalogue, by spec path."""

from functools import cache

from pcm.config.names import did_you_mean
from pcm.config.structure import ConfigStructure
from pcm.config.structures import (
    callbacks,
    data,
    grid,
    links,
    losses,
    model,
    modules,
    optimizers,
    plots,
    site,
    trainer,
    user_settings,
)
from pcm.config.structures.experiment import EXPERIMENT
from pcm.config.structures.own import OWN_CLASS, OWN_MODEL
from pcm.config.wording import shown
from pcm.errors import NotFoundError


@cache
def _table() -> dict[str, ConfigStructure]:
    groups: dict[str, dict[str, ConfigStructure]] = {
        "optimizers": optimizers.OPTIMIZERS,
        "lr_schedulers": optimizers.LR_SCHEDULERS,
        "loss_coef_schedulers": losses.LOSS_COEF_SCHEDULERS,
        "conditions": {"categorical": data.CATEGORICAL, "continuous": data.CONTINUOUS},
        "distributions": {**data.DISCRETE_DISTRIBUTIONS, **data.CONTINUOUS_DISTRIBUTIONS},
        "value_transforms": data.VALUE_TRANSFORMS,
        "callbacks": {**callbacks.CALLBACK_KWARGS, **callbacks.CALLBACKS},
        "plot_top_nodes": plots.PLOT_TOP_NODES,
        "plot_nodes": plots.PLOT_NODES,
        "plot_functions": {name: f.kwargs for name, f in plots.PLOT_FUNCTIONS.items()},
    }
    return {
        "model": model.MODEL,
        "data": data.DATA,
        "trainer": trainer.TRAINER,
        "grid": grid.GRID,
        "site": site.SITE,
        "settings": user_settings.SETTINGS,
        "experiment": EXPERIMENT,
        "own_class": OWN_CLASS,
        "own_model": OWN_MODEL,
        "loss_manager": losses.LOSS_MANAGER,
        **{path: spec.structure for path, spec in links.LINKS.items()},
        **modules.MODULES,
        **{f"{group}/{name}": s for group, table in groups.items() for name, s in table.items()},
    }


def spec_paths() -> list[str]:
    """Every spec path that has a structure."""
    return list(_table())


def structure_at(spec_path: str) -> ConfigStructure:
    """The structure at `spec_path`, e.g. `latent/posterior_gaussian` or `model`.

    Raises:
        NotFoundError: there is none; names the nearest one.
    """
    try:
        return _table()[spec_path]
    except KeyError:
        hint = did_you_mean(spec_path, _table())
        raise NotFoundError(f"no structure at {shown(spec_path)}", hint) from None
