"""The links of a chain: their cfg, their methods, and whether they learn anything."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pcm.config.inspection import inspect_mapping
from pcm.config.shapes import (
    COUNT,
    FRACTION,
    POSITIVE,
    MapOf,
    OneOf,
    Record,
    Rule,
    Tagged,
)
from pcm.config.structure import (
    ConfigStructure,
    Finding,
    Findings,
    Inspector,
    Namespace,
)
from pcm.config.structures.modules import MODULE, MODULES, WIDTH_KEYWORDS, has_parameters

REDUCTORS = ("mean", "logsumexp")
"""Reductions of a tensor, for `tensor_reductor` and the loss manager."""


@dataclass(frozen=True)
class LinkSpec:
    """What a link declares.

    Attributes:
        structure: of its cfg.
        methods: kwargs of every method that a command may call.
        trainable: tells from a cfg whether the link has parameters.
        losses: names of the losses it gives.
    """

    structure: ConfigStructure
    methods: Mapping[str, Record]
    trainable: Callable[[Mapping[str, Any]], bool] = lambda _cfg: False
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PatternRecord(Record):
    """A record that takes further keys: the lengths of an einops pattern's axes."""

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        named = {**self.required, **self.optional}
        axes = [key for key in value if key not in named] if isinstance(value, dict) else []
        optional = {**self.optional, **dict.fromkeys(axes, COUNT)}
        return inspect_mapping(value, self.required, optional, inspector)

    def relaxed(self) -> "PatternRecord":
        """The same keys, all of them optional."""
        return PatternRecord({}, {**self.required, **self.optional})


def _method(**required: ConfigStructure) -> Record:
    return Record(required)


def _always(_cfg: Mapping[str, Any]) -> bool:
    return True


def _check_residual(cfg: Mapping[str, Any]) -> list[Finding]:
    input_dim, output_dim = cfg["input_dim"], cfg["output_dim"]
    if cfg["block_wrapper_name"] != "residual" or input_dim == output_dim:
        return []
    problem = "a residual stack ends in as many dimensions as it begins with"
    found = f"input_dim {input_dim}, output_dim {output_dim}"
    return [Finding(("block_wrapper_name",), problem, found, "equal dimensions, or shortcut")]


DENSE_BLOCK_STACK: ConfigStructure = Rule(
    {
        "input_dim": COUNT,
        "output_dim": COUNT,
        "hidden_dims": [COUNT],
        "ordered_module_specs": [MODULE],
        "block_wrapper_name": (None, OneOf(("residual", "shortcut"), "block wrapper")),
    },
    _check_residual,
)


def _check_width(cfg: Mapping[str, Any]) -> list[Finding]:
    path, kwargs = cfg["nnmodule_spec_path"], cfg["kwargs"]
    keyword = WIDTH_KEYWORDS.get(path)
    if keyword is None or keyword in kwargs or cfg["output_dim"] is not None:
        return []
    return [Finding(("output_dim",), f"{path} needs to know its width", "null", "an integer")]


STANDALONE_TINY_MODULE: ConfigStructure = Rule(
    Tagged(
        {"nnmodule_spec_path": str, "kwargs": Namespace, "output_dim": (None, COUNT)},
        tag="nnmodule_spec_path",
        content="kwargs",
        choices=MODULES,
        what="module",
    ),
    _check_width,
)
POSTERIOR_GAUSSIAN: ConfigStructure = {
    "std_transform": OneOf(("softplus",), "std transform"),
    "loss_coef_posterior_entropy": float,
}
_MIXTURE: dict[str, ConfigStructure] = {
    "n_components": COUNT,
    "components_std": POSITIVE,
    "latent_dim": COUNT,
}
PRIOR_GAUSSIAN_MIXTURE_NLL: ConfigStructure = {**_MIXTURE, "loss_coef_prior_nll": float}
PRIOR_VEC_CONDITIONED_LOGITS_GAUSSIAN_MIXTURE_NLL = PRIOR_GAUSSIAN_MIXTURE_NLL
_CONSTRAINT_METHOD = OneOf(("l2", "huber"), "constraint method")
CLUSTERING_FUZZY: ConfigStructure = {
    **_MIXTURE,
    "constraint_method": _CONSTRAINT_METHOD,
    "loss_coef_latent_fuzzy_clustering": float,
    "loss_coef_clustering_component_reg": float,
}
CONSTRAINT_LATENT: ConfigStructure = {
    "constraint_method": _CONSTRAINT_METHOD,
    "loss_coef_latent_constraint": float,
}


def _check_embedding_module(cfg: Mapping[str, Any]) -> list[Finding]:
    sizes, expected = len(cfg["n_categories_per_condition"]), cfg["n_conditions"]
    if sizes == expected:
        return []
    problem = "n_categories_per_condition does not fit n_conditions"
    keys = ("n_categories_per_condition",)
    return [Finding(keys, problem, f"{sizes} numbers", f"{expected} numbers, one a condition")]


def _check_heads(cfg: Mapping[str, Any]) -> list[Finding]:
    heads, dim = cfg["transformer"]["encoder_layer_kwargs"]["nhead"], cfg["embedding_dim"]
    if dim % heads == 0:
        return []
    keys = ("transformer", "encoder_layer_kwargs", "nhead")
    return [
        Finding(keys, "embedding_dim is not a multiple of nhead", str(heads), f"a divisor of {dim}")
    ]


CONDITION_SET_EMBEDDING_TRANSFORMER: ConfigStructure = Rule(
    {
        "embedding_dim": COUNT,
        "transformer": {
            "encoder_kwargs": Record(
                {"num_layers": COUNT}, {"enable_nested_tensor": bool, "mask_check": bool}
            ),
            "encoder_layer_kwargs": Record(
                {"nhead": COUNT},
                {
                    "dim_feedforward": COUNT,
                    "dropout": FRACTION,
                    "activation": OneOf(("relu", "gelu"), "activation"),
                    "layer_norm_eps": POSITIVE,
                    "batch_first": bool,
                    "norm_first": bool,
                    "bias": bool,
                },
            ),
        },
        "embedding_module": Rule(
            {"n_conditions": COUNT, "n_categories_per_condition": [COUNT]}, _check_embedding_module
        ),
    },
    _check_heads,
)


ADAPTER: ConfigStructure = Tagged(
    {"aggregation_type": str, "kwargs": Namespace},
    tag="aggregation_type",
    content="kwargs",
    choices={"concat": {"dim": int}, "sum": {}},
    what="aggregation type",
)
CLONER: ConfigStructure = {}
REARRANGER: ConfigStructure = {}
REPEATER: ConfigStructure = {}

_REDUCTION = {"reduction": OneOf(("none", "mean", "sum"), "reduction")}
RECONSTRUCTION: ConfigStructure = {
    "coef": float,
    "loss_fn": Tagged(
        {"name": str, "kwargs": Namespace},
        tag="name",
        content="kwargs",
        choices={
            "mse": Record(optional=_REDUCTION),
            "l1": Record(optional=_REDUCTION),
            "smooth_l1": Record(optional={**_REDUCTION, "beta": POSITIVE}),
        },
        what="loss function",
    ),
    "tensor_reductor": Tagged(
        {"name": str, "kwargs": Namespace},
        tag="name",
        content="kwargs",
        choices=dict.fromkeys(REDUCTORS, Record()),
        what="tensor reductor",
    ),
}

LINKS: dict[str, LinkSpec] = {
    "dense_blocks/dense_block_stack": LinkSpec(
        DENSE_BLOCK_STACK, {"forward": _method(data_name=str)}, _always
    ),
    "dense_blocks/standalone_tiny_module": LinkSpec(
        STANDALONE_TINY_MODULE,
        {"forward": _method(data_name=str)},
        lambda cfg: has_parameters(cfg["nnmodule_spec_path"], cfg["kwargs"]),
    ),
    "latent/posterior_gaussian": LinkSpec(
        POSTERIOR_GAUSSIAN,
        {"forward": _method(data_name=str, n_latent_samples=COUNT)},
        losses=("postr_neg_entr",),
    ),
    "latent/prior_gaussian_mixture_nll": LinkSpec(
        PRIOR_GAUSSIAN_MIXTURE_NLL,
        {
            "forward_unknown": _method(data_name=str),
            "forward_known": _method(data_name=str, component_indicator_name=str),
            "forward_mixed": _method(data_name=str, component_indicator_name=str),
        },
        _always,
        losses=("prior_nll",),
    ),
    "latent/prior_vec_conditioned_logits_gaussian_mixture_nll": LinkSpec(
        PRIOR_VEC_CONDITIONED_LOGITS_GAUSSIAN_MIXTURE_NLL,
        {
            "forward": _method(data_name=str, logits_name=str),
            "sample": _method(n_latent_samples=COUNT, data_name=str, logits_name=str),
            "get_means": _method(gm_means_name=str),
        },
        _always,
        losses=("prior_nll",),
    ),
    "latent/clustering_fuzzy": LinkSpec(
        CLUSTERING_FUZZY,
        {"forward": _method(data_name=str)},
        _always,
        losses=("fuzz_clust", "comp_clust_reg"),
    ),
    "latent/constraint_latent": LinkSpec(
        CONSTRAINT_LATENT, {"forward": _method(data_name=str)}, losses=("lat_constr",)
    ),
    "condition_embedding/condition_set_embedding_transformer": LinkSpec(
        CONDITION_SET_EMBEDDING_TRANSFORMER,
        {"forward": _method(cond_ids_name=str, cat_ids_name=str, cond_embed_name=str)},
        _always,
    ),
    "misc/adapter": LinkSpec(ADAPTER, {"forward": _method(batch_aggr_def=MapOf([str]))}),
    "misc/cloner": LinkSpec(
        CLONER, {"forward": Record({"data_name": str, "clone_name": str}, {"clone": bool})}
    ),
    "misc/rearranger": LinkSpec(
        REARRANGER, {"forward": PatternRecord({"data_name": str, "pattern": str})}
    ),
    "misc/repeater": LinkSpec(
        REPEATER, {"forward": PatternRecord({"data_name": str, "pattern": str})}
    ),
    "loss/reconstruction": LinkSpec(
        RECONSTRUCTION,
        {"forward": _method(data_name=str, target_name=str, reduce_pattern=str)},
        losses=("reconstr",),
    ),
}
"""By `chain_link_spec_path`."""

_OWN_LINK = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def is_own_link(spec_path: str) -> bool:
    """Whether the path names a class of the user's own: `package.module:Class`."""
    return _OWN_LINK.fullmatch(spec_path) is not None


LINK = Tagged(
    {"chain_link_spec_path": str, "name": str, "cfg": Namespace},
    tag="chain_link_spec_path",
    content="cfg",
    choices={path: spec.structure for path, spec in LINKS.items()},
    what="link",
    open_to=is_own_link,
)
