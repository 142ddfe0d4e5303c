"""What is declared of the links without torch, against the classes themselves."""

import inspect
from typing import Any

import pytest
import torch
from torch import nn

from pcm.chain.links import LINKS, build_link
from pcm.chain.links.nnmodules import MODULES
from pcm.chain.loss_manager import LossManager
from pcm.chain.loss_schedules import SCHEDULES
from pcm.chain.optimization import FACTORS, OPTIMIZERS
from pcm.chain.reductions import REDUCTORS
from pcm.config.structures import links as declared
from pcm.config.structures import losses, modules, optimizers

_MIXTURE = {"n_components": 3, "components_std": 1.0, "latent_dim": 2}
CFGS: dict[str, dict[str, Any]] = {
    "dense_blocks/dense_block_stack": {
        "input_dim": 2,
        "output_dim": 2,
        "hidden_dims": [],
        "ordered_module_specs": [],
        "block_wrapper_name": None,
    },
    "dense_blocks/standalone_tiny_module": {
        "nnmodule_spec_path": "activation/relu",
        "kwargs": {},
        "output_dim": None,
    },
    "latent/posterior_gaussian": {"std_transform": "softplus", "loss_coef_posterior_entropy": 1.0},
    "latent/prior_gaussian_mixture_nll": _MIXTURE | {"loss_coef_prior_nll": 1.0},
    "latent/prior_vec_conditioned_logits_gaussian_mixture_nll": _MIXTURE
    | {"loss_coef_prior_nll": 1.0},
    "latent/clustering_fuzzy": _MIXTURE
    | {
        "constraint_method": "l2",
        "loss_coef_latent_fuzzy_clustering": 1.0,
        "loss_coef_clustering_component_reg": 1.0,
    },
    "latent/constraint_latent": {"constraint_method": "huber", "loss_coef_latent_constraint": 1.0},
    "condition_embedding/condition_set_embedding_transformer": {
        "embedding_dim": 4,
        "transformer": {"encoder_kwargs": {"num_layers": 1}, "encoder_layer_kwargs": {"nhead": 2}},
        "embedding_module": {"n_conditions": 1, "n_categories_per_condition": [2]},
    },
    "misc/adapter": {"aggregation_type": "sum", "kwargs": {}},
    "misc/cloner": {},
    "misc/rearranger": {},
    "misc/repeater": {},
    "loss/reconstruction": {
        "coef": 1.0,
        "loss_fn": {"name": "mse", "kwargs": {"reduction": "none"}},
        "tensor_reductor": {"name": "mean", "kwargs": {}},
    },
}


def test_the_same_links_are_declared_and_built() -> None:
    assert LINKS.keys() == declared.LINKS.keys() == CFGS.keys()


@pytest.mark.parametrize("spec_path", LINKS)
def test_a_class_points_at_its_declared_structure(spec_path: str) -> None:
    structure = getattr(LINKS[spec_path], "_config_structure", None)
    assert structure is declared.LINKS[spec_path].structure


@pytest.mark.parametrize("spec_path", LINKS)
def test_declared_methods_are_the_public_methods(spec_path: str) -> None:
    link_class = LINKS[spec_path]
    own = {
        name
        for each in link_class.__mro__[: link_class.__mro__.index(nn.Module)]
        for name, value in vars(each).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    assert own == declared.LINKS[spec_path].methods.keys()


@pytest.mark.parametrize(
    ("spec_path", "method"),
    [(path, method) for path, spec in declared.LINKS.items() for method in spec.methods],
)
def test_declared_kwargs_are_the_signatures(spec_path: str, method: str) -> None:
    record = declared.LINKS[spec_path].methods[method]
    _, batch, *parameters = inspect.signature(getattr(LINKS[spec_path], method)).parameters.values()
    assert batch.name == "batch"
    takes_axes = any(each.kind is each.VAR_KEYWORD for each in parameters)
    assert takes_axes == isinstance(record, declared.PatternRecord)
    named = [each for each in parameters if each.kind is not each.VAR_KEYWORD]
    required = {each.name for each in named if each.default is each.empty}
    assert required == record.required.keys()
    assert {each.name for each in named} - required == record.optional.keys()


@pytest.mark.parametrize("spec_path", LINKS)
def test_declared_trainability_is_whether_there_are_parameters(spec_path: str) -> None:
    link = build_link(spec_path, CFGS[spec_path])
    has_parameters = any(parameter.requires_grad for parameter in link.parameters())
    assert declared.LINKS[spec_path].trainable(CFGS[spec_path]) == has_parameters


@pytest.mark.parametrize("spec_path", MODULES)
def test_modules_and_whether_they_have_parameters(spec_path: str) -> None:
    cfg = {"nnmodule_spec_path": spec_path, "kwargs": {}, "output_dim": 3}
    link = build_link("dense_blocks/standalone_tiny_module", cfg)
    has_parameters = any(True for _ in link.parameters())
    assert declared.LINKS["dense_blocks/standalone_tiny_module"].trainable(cfg) == has_parameters


def test_every_other_table_of_names_is_declared_too() -> None:
    assert MODULES.keys() == modules.MODULES.keys()
    assert set(REDUCTORS) == set(declared.REDUCTORS)
    assert OPTIMIZERS.keys() == optimizers.OPTIMIZERS.keys()
    assert FACTORS.keys() == optimizers.LR_SCHEDULERS.keys()
    assert SCHEDULES.keys() == losses.LOSS_COEF_SCHEDULERS.keys()
    assert LossManager._config_structure is losses.LOSS_MANAGER


def test_declared_losses_are_given() -> None:
    latents = {"z": torch.randn(2, 1, 2), "e": torch.randn(2, 4), "l": torch.randn(2, 3)}
    latents["c"] = torch.tensor([0, 1])
    kwargs = {
        "data_name": "z",
        "target_name": "z",
        "logits_name": "l",
        "component_indicator_name": "c",
        "n_latent_samples": 1,
        "reduce_pattern": "b s d -> b s",
    }
    for spec_path, spec in declared.LINKS.items():
        link = build_link(spec_path, CFGS[spec_path])
        for name, record in spec.methods.items():
            if not spec.losses or not name.startswith("forward"):
                continue
            given = {key: kwargs[key] for key in record.required}
            if spec_path == "latent/posterior_gaussian":
                given["data_name"] = "e"
            _, structured = getattr(link, name)(dict(latents), **given)
            assert tuple(loss["name"] for loss in structured) == spec.losses
