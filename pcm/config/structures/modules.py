"""Small torch modules that a link names by `nnmodule_spec_path`, and their kwargs."""

from collections.abc import Mapping
from typing import Any

from pcm.config.shapes import FRACTION, POSITIVE, Record, Tagged
from pcm.config.structure import Namespace

_INPLACE = {"inplace": bool}

MODULES: dict[str, Record] = {
    "activation/relu": Record(optional=_INPLACE),
    "activation/prelu": Record(optional={"num_parameters": int, "init": float}),
    "activation/rrelu": Record(optional={"lower": float, "upper": float, **_INPLACE}),
    "activation/celu": Record(optional={"alpha": float, **_INPLACE}),
    "activation/selu": Record(optional=_INPLACE),
    "activation/sigmoid": Record(),
    "activation/tanh": Record(),
    "norm/batch": Record(
        optional={
            "num_features": int,
            "eps": POSITIVE,
            "momentum": (None, FRACTION),
            "affine": bool,
            "track_running_stats": bool,
        }
    ),
    "norm/layer": Record(
        optional={
            "normalized_shape": (int, [int]),
            "eps": POSITIVE,
            "elementwise_affine": bool,
            "bias": bool,
        }
    ),
    "dropout/ordinary": Record(optional={"p": FRACTION, **_INPLACE}),
}
"""torch's kwargs by spec path; a norm's width is passed in unless it is given."""

WIDTH_KEYWORDS = {"norm/batch": "num_features", "norm/layer": "normalized_shape"}
"""The keyword by which a norm is told its width."""

MODULE = Tagged(
    {"nnmodule_spec_path": str, "kwargs": Namespace},
    tag="nnmodule_spec_path",
    content="kwargs",
    choices=MODULES,
    what="module",
)


def has_parameters(spec_path: str, kwargs: Mapping[str, Any]) -> bool:
    """Whether the module learns anything by itself."""
    if spec_path == "norm/batch":
        return bool(kwargs.get("affine", True))
    if spec_path == "norm/layer":
        return bool(kwargs.get("elementwise_affine", True))
    return spec_path == "activation/prelu"
