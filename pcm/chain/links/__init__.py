"""The links of the catalogue, and links of the user's own, by spec path."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from torch import nn

from pcm.chain.choice import choose
from pcm.chain.links.condition_embedding import ConditionSetEmbeddingTransformer
from pcm.chain.links.dense_blocks import DenseBlockStack, StandaloneTinyModule
from pcm.chain.links.latent import (
    ClusteringFuzzy,
    ConstraintLatent,
    PosteriorGaussian,
    PriorGaussianMixtureNLL,
    PriorVecConditionedLogitsGaussianMixtureNLL,
)
from pcm.chain.links.loss import Reconstruction
from pcm.chain.links.misc import Adapter, Cloner, Rearranger, Repeater
from pcm.config.structure import Namespace, validate_config_structure
from pcm.errors import ConfigError, Fault

LINKS: dict[str, type[nn.Module]] = {
    "dense_blocks/dense_block_stack": DenseBlockStack,
    "dense_blocks/standalone_tiny_module": StandaloneTinyModule,
    "latent/posterior_gaussian": PosteriorGaussian,
    "latent/prior_gaussian_mixture_nll": PriorGaussianMixtureNLL,
    "latent/prior_vec_conditioned_logits_gaussian_mixture_nll": (
        PriorVecConditionedLogitsGaussianMixtureNLL
    ),
    "latent/clustering_fuzzy": ClusteringFuzzy,
    "latent/constraint_latent": ConstraintLatent,
    "condition_embedding/condition_set_embedding_transformer": ConditionSetEmbeddingTransformer,
    "misc/adapter": Adapter,
    "misc/cloner": Cloner,
    "misc/rearranger": Rearranger,
    "misc/repeater": Repeater,
    "loss/reconstruction": Reconstruction,
}


def build_links(specs: Sequence[Mapping[str, Any]]) -> nn.ModuleDict:
    """The links of a chain by name, in the config's order.

    Raises:
        ConfigError: a spec path or something in a link's cfg is wrong.
    """
    links = nn.ModuleDict()
    for spec in specs:
        name = spec["name"]
        if hasattr(links, name):
            problem = "torch can't give a module this name: it would hide a method"
            raise ConfigError([Fault(problem, key="chain", found=repr(name))])
        links[name] = build_link(spec["chain_link_spec_path"], spec["cfg"])
    return links


def build_link(spec_path: str, cfg: Mapping[str, Any]) -> nn.Module:
    """The link at `spec_path`, after a look at its cfg.

    A link of the user's own is called with its cfg alone, like the catalogue's; if it has a
    `_config_structure`, the cfg must fit it.
    """
    link = link_class(spec_path)
    validate_config_structure(cfg, getattr(link, "_config_structure", Namespace))
    return link(cfg)


def link_class(spec_path: str) -> type[nn.Module]:
    """The class at `spec_path`: a name of the catalogue, or `package.module:Class`."""
    if ":" not in spec_path:
        return choose(LINKS, spec_path, "link")
    module_name, _, class_name = spec_path.partition(":")
    try:
        found = getattr(import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        fault = Fault(
            f"no such link: {error}",
            found=spec_path,
            expected="package.module:Class that Python can import",
        )
        raise ConfigError([fault]) from error
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise ConfigError([Fault("a link must be a torch.nn.Module class", found=spec_path)])
    return found
