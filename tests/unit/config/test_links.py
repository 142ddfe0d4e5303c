"""What each link declares: its cfg, methods, losses, and whether it learns."""

from typing import Any

import pytest

from pcm.config.structure import find_faults
from pcm.config.structures.links import LINK, LINKS, is_own_link
from pcm.config.structures.modules import MODULES, has_parameters
from tests.unit.config import samples
from tests.unit.config.samples import check_model

MIXTURE = {"n_components": 3, "components_std": 1, "latent_dim": 2}
CFGS: dict[str, dict[str, Any]] = {
    "dense_blocks/dense_block_stack": {
        "input_dim": 1,
        "output_dim": 1,
        "hidden_dims": [],
        "ordered_module_specs": [
            {"nnmodule_spec_path": "norm/batch", "kwargs": {"momentum": 0.1}},
            {"nnmodule_spec_path": "dropout/ordinary", "kwargs": {"p": 0.5}},
        ],
        "block_wrapper_name": "residual",
    },
    "dense_blocks/standalone_tiny_module": {
        "nnmodule_spec_path": "activation/sigmoid",
        "kwargs": {},
        "output_dim": None,
    },
    "latent/posterior_gaussian": {
        "std_transform": "softplus",
        "loss_coef_posterior_entropy": 1,
    },
    "latent/prior_gaussian_mixture_nll": {**MIXTURE, "loss_coef_prior_nll": 1e-3},
    "latent/prior_vec_conditioned_logits_gaussian_mixture_nll": {
        **MIXTURE,
        "loss_coef_prior_nll": 1e-3,
    },
    "latent/clustering_fuzzy": {
        **MIXTURE,
        "constraint_method": "l2",
        "loss_coef_latent_fuzzy_clustering": 1,
        "loss_coef_clustering_component_reg": 0.5,
    },
    "latent/constraint_latent": {"constraint_method": "huber", "loss_coef_latent_constraint": 1},
    "condition_embedding/condition_set_embedding_transformer": {
        "embedding_dim": 8,
        "transformer": {
            "encoder_kwargs": {"num_layers": 1},
            "encoder_layer_kwargs": {"nhead": 4, "activation": "gelu"},
        },
        "embedding_module": {"n_conditions": 2, "n_categories_per_condition": [10, 5]},
    },
    "misc/adapter": {"aggregation_type": "concat", "kwargs": {"dim": 1}},
    "misc/cloner": {},
    "misc/rearranger": {},
    "misc/repeater": {},
    "loss/reconstruction": {
        "coef": 1,
        "loss_fn": {"name": "smooth_l1", "kwargs": {"reduction": "none", "beta": 0.5}},
        "tensor_reductor": {"name": "logsumexp", "kwargs": {}},
    },
}


def link(path: str, **cfg: Any) -> dict[str, Any]:
    return {"name": "x", "chain_link_spec_path": path, "cfg": {**CFGS.get(path, {}), **cfg}}


def test_every_link_of_the_catalogue_is_there() -> None:
    assert LINKS.keys() == CFGS.keys()


@pytest.mark.parametrize("path", CFGS)
def test_a_good_cfg(path: str) -> None:
    assert find_faults(link(path), LINK) == []


@pytest.mark.parametrize("path", CFGS)
def test_every_key_is_needed_and_no_other_is_taken(path: str) -> None:
    for key in CFGS[path]:
        cfg = {name: value for name, value in CFGS[path].items() if name != key}
        broken = {"name": "x", "chain_link_spec_path": path, "cfg": cfg}
        assert f"cfg.{key}" in [fault.key for fault in find_faults(broken, LINK)]
    (fault,) = find_faults(link(path, zzz=1), LINK)
    assert fault.problem == "unknown key 'zzz'"


@pytest.mark.parametrize(
    ("path", "cfg", "key"),
    [
        ("latent/prior_gaussian_mixture_nll", {"components_std": 0}, "components_std"),
        ("latent/prior_gaussian_mixture_nll", {"n_components": 0}, "n_components"),
        ("latent/clustering_fuzzy", {"constraint_method": "l3"}, "constraint_method"),
        ("misc/adapter", {"aggregation_type": "mean"}, "aggregation_type"),
        ("misc/adapter", {"aggregation_type": "sum"}, "kwargs.dim"),
        ("misc/adapter", {"kwargs": {}}, "kwargs.dim"),
        ("loss/reconstruction", {"loss_fn": {"name": "bce", "kwargs": {}}}, "loss_fn.name"),
        ("dense_blocks/dense_block_stack", {"hidden_dims": [0]}, "hidden_dims.0"),
        ("dense_blocks/dense_block_stack", {"block_wrapper_name": "skip"}, "block_wrapper_name"),
    ],
)
def test_a_bad_cfg(path: str, cfg: dict[str, Any], key: str) -> None:
    (fault,) = find_faults(link(path, **cfg), LINK)
    assert fault.key == f"cfg.{key}"


def test_a_residual_stack_keeps_its_dimensions() -> None:
    (fault,) = find_faults(link("dense_blocks/dense_block_stack", output_dim=3), LINK)
    assert fault.key == "cfg.block_wrapper_name"
    assert fault.found == "input_dim 1, output_dim 3"


@pytest.mark.parametrize(
    ("cfg", "faults"),
    [
        ({"kwargs": {}}, 1),
        ({"kwargs": {}, "output_dim": 4}, 0),
        ({"kwargs": {"normalized_shape": [4]}}, 0),
    ],
)
def test_a_norm_on_its_own_needs_its_width(cfg: dict[str, Any], faults: int) -> None:
    norm = link("dense_blocks/standalone_tiny_module", nnmodule_spec_path="norm/layer", **cfg)
    assert len(find_faults(norm, LINK)) == faults


EMBEDDING = "condition_embedding/condition_set_embedding_transformer"


def test_the_parts_of_an_embedding_fit_together() -> None:
    sizes = {"n_conditions": 3, "n_categories_per_condition": [10, 5]}
    heads = {"encoder_kwargs": {"num_layers": 1}, "encoder_layer_kwargs": {"nhead": 3}}
    (first,) = find_faults(link(EMBEDDING, embedding_module=sizes), LINK)
    assert (first.found, first.expected) == ("2 numbers", "3 numbers, one a condition")
    (second,) = find_faults(link(EMBEDDING, transformer=heads), LINK)
    assert second.problem == "embedding_dim is not a multiple of nhead"


@pytest.mark.parametrize(
    ("path", "kwargs", "learns"),
    [
        ("activation/prelu", {}, True),
        ("activation/relu", {}, False),
        ("norm/batch", {}, True),
        ("norm/batch", {"affine": False}, False),
        ("norm/layer", {"elementwise_affine": False}, False),
        ("norm/layer", {}, True),
        ("dropout/ordinary", {}, False),
    ],
)
def test_which_modules_learn(path: str, kwargs: dict[str, Any], learns: bool) -> None:
    assert path in MODULES
    assert has_parameters(path, kwargs) is learns
    cfg = {"nnmodule_spec_path": path, "kwargs": kwargs, "output_dim": 3}
    assert LINKS["dense_blocks/standalone_tiny_module"].trainable(cfg) is learns


def test_a_tiny_module_that_learns_needs_an_optimizer() -> None:
    document = samples.model(
        (
            "chain_link_spec_path: misc/rearranger",
            "chain_link_spec_path: dense_blocks/standalone_tiny_module",
        ),
        (
            "    cfg: {}\n",
            "    cfg: {nnmodule_spec_path: activation/prelu, kwargs: {}, output_dim: 3}\n",
        ),
        (", pattern: b 1 h w -> b (h w)", ""),
    )
    (fault,) = check_model(document.data)
    assert fault.problem == "the link 'reshape' has parameters but no optimizer"


@pytest.mark.parametrize("path", ["pkg:Link", "my_pkg.links:MyLink", "päckchen.b:C"])
def test_a_link_of_the_users_own(path: str) -> None:
    assert is_own_link(path)
    assert find_faults(link(path, anything=[1]), LINK) == []


@pytest.mark.parametrize("path", ["pkg.Link", "pkg:", ":Link", "a-b:C", "a:b:C", "a:B.C", "a b:C"])
def test_what_is_no_link_of_the_users_own(path: str) -> None:
    (fault,) = find_faults(link(path), LINK)
    assert (fault.key, fault.problem) == ("chain_link_spec_path", "unknown link")


OWN = ("chain_link_spec_path: latent/posterior_gaussian", "chain_link_spec_path: my_pkg.links:Mine")


def test_an_own_link_may_have_any_methods_and_losses() -> None:
    document = samples.model(
        OWN,
        ("{link: posterior, method: forward,", "{link: posterior, method: whatever,"),
        ("data_name: img, n_latent_samples: 1}", "anything: [1]}"),
        (
            "loss_coef_schedulers: null",
            "loss_coef_schedulers: [{link_name: posterior, loss_name: mine, schedulers_cfg: "
            "[{name: linear, kwargs: {start_coef_scale: 0, end_coef_scale: 1, num_epochs: 1}}]}]",
        ),
    )
    assert check_model(document.data) == []


@pytest.mark.parametrize(
    ("links", "faults"),
    [("[encoder]", 0), ("[encoder, posterior]", 0), ("[encoder, posterior, posterior]", 1)],
)
def test_an_own_link_is_in_at_most_one_optimizer(links: str, faults: int) -> None:
    document = samples.model(OWN, ("links: [encoder]", f"links: {links}"))
    assert len(check_model(document.data)) == faults


def test_axes_of_patterns_are_lengths() -> None:
    pattern = "pattern: b 1 h w -> b (h w)"
    assert check_model(samples.model((pattern, f"{pattern}, h: 28, w: 28")).data) == []
    (fault,) = check_model(samples.model((pattern, f"{pattern}, h: '28'")).data)
    assert fault.key == "commands.forward.processing_steps.0.kwargs.h"
    (fault,) = check_model(samples.model((f", {pattern}", "")).data)
    assert fault.problem == "missing key 'pattern'"


def test_a_forward_without_a_loss() -> None:
    line = "- {link: posterior, method: forward, kwargs: {data_name: img, n_latent_samples: 1}}\n"
    step = f"      {line}"
    (fault,) = check_model(samples.model((step, "")).data)
    assert fault.problem == "'forward' gives no loss to train on"
    assert fault.key == "commands.forward.processing_steps"


def test_two_schedulers_of_one_loss() -> None:
    entry = (
        "{link_name: posterior, loss_name: postr_neg_entr, schedulers_cfg: "
        "[{name: linear, kwargs: {start_coef_scale: 0, end_coef_scale: 1, num_epochs: 1}}]}"
    )
    change = ("loss_coef_schedulers: null", f"loss_coef_schedulers: [{entry}, {entry}]")
    (fault,) = check_model(samples.model(change).data)
    assert fault.problem == "two entries for one loss"
