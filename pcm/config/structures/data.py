"""A data file: which digits, and the conditions that transform them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pcm.config.keys import Keys
from pcm.config.shapes import (
    COUNT,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    Meaning,
    Number,
    OneOf,
    Record,
    Rule,
    Tagged,
)
from pcm.config.structure import ConfigStructure, Finding, Inspector, Namespace
from pcm.config.wording import shown

TOKEN_ID = Number(int, low=1)
"""0 is padding."""


def _check_parameters(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    given = [key for key in ("probs", "logits") if key in kwargs]
    if len(given) != 1:
        problem = "one of probs and logits" if not given else "probs and logits exclude each other"
        yield Finding((), problem, ", ".join(given) or "neither", "probs or logits")


def _check_weights(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _check_parameters(kwargs)
    for key in ("probs", "logits"):
        if key in kwargs and not kwargs[key]:
            yield Finding((key,), "no categories", "[]", "a number a category")
    if "probs" in kwargs and kwargs["probs"] and sum(kwargs["probs"]) <= 0:
        yield Finding(("probs",), "no category is possible", shown(0), "a positive weight")


def _check_bounds(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    if kwargs["low"] >= kwargs["high"]:
        found = f"{kwargs['low']} to {kwargs['high']}"
        yield Finding(("low",), "an empty range", found, "low below high")


_CHANCE = {"probs": FRACTION, "logits": float}
DISCRETE_DISTRIBUTIONS: dict[str, ConfigStructure] = {
    "bernoulli": Rule(Record(optional=_CHANCE), _check_parameters),
    "categorical": Rule(
        Record(optional={"probs": [NOT_NEGATIVE], "logits": [float]}), _check_weights
    ),
    "binomial": Rule(Record(optional={"total_count": COUNT, **_CHANCE}), _check_parameters),
}
"""kwargs by name; torch's own, as plain numbers."""

CONTINUOUS_DISTRIBUTIONS: dict[str, ConfigStructure] = {
    "uniform": Rule({"low": float, "high": float}, _check_bounds)
}
"""kwargs by name; torch's own, as plain numbers."""

VALUE_TRANSFORMS: dict[str, ConfigStructure] = {"identity": Record(), "log1p": Record()}
"""kwargs by name."""

IMAGE_TRANSFORMS: dict[str, tuple[str, ConfigStructure]] = {
    "fade": ("threshold", Number(float, low=0, below=1)),
    "rotate": ("degree", float),
    "resize": ("size", POSITIVE),
    "translate": ("translation", [float]),
}
"""The argument that a condition's category or value goes to, and what it may be, by name."""


def _check_keyword(transform: Mapping[str, Any]) -> Iterator[Finding]:
    keyword, _structure = IMAGE_TRANSFORMS[transform["name"]]
    if transform["keyword"] != keyword:
        problem = f"{transform['name']} has no such argument"
        hint = f"did you mean '{keyword}'?"
        yield Finding(("keyword",), problem, shown(transform["keyword"]), f"'{keyword}'", hint)


IMAGE_TRANSFORM: ConfigStructure = Rule(
    {
        "name": OneOf(IMAGE_TRANSFORMS, "image transform"),
        "keyword": str,
        "kwargs": Record(),
    },
    _check_keyword,
)


def _named(choices: Mapping[str, ConfigStructure], what: str) -> Tagged:
    return Tagged({"name": str, "kwargs": Namespace}, "name", "kwargs", choices, what)


def n_categories(distribution: Mapping[str, Any]) -> int:
    """How many outcomes a discrete distribution has."""
    kwargs = distribution["kwargs"]
    if distribution["name"] == "categorical":
        return len(kwargs["probs"] if "probs" in kwargs else kwargs["logits"])
    return 1 + int(kwargs.get("total_count", 1))


def _check_categories(cfg: Mapping[str, Any]) -> Iterator[Finding]:
    categories, expected = cfg["categories_map"], n_categories(cfg["distribution"])
    if len(categories) != expected:
        problem = "categories_map does not fit the distribution"
        found = f"{len(categories)} categories"
        yield Finding(("categories_map",), problem, found, f"{expected}, one an outcome")
    for index, argument in enumerate(categories):
        yield from _check_argument(cfg, argument, ("categories_map", index))


def _check_argument(
    cfg: Mapping[str, Any], argument: Any, keys: Sequence[str | int]
) -> Iterator[Finding]:
    name = cfg["image_transform"]["name"]
    keyword, structure = IMAGE_TRANSFORMS[name]
    if name == "translate" and (not isinstance(argument, list) or len(argument) != 2):
        yield Finding(tuple(keys), "not a translation", shown(argument), "[dx, dy], in pixels")
        return
    for finding in Inspector().inspect(argument, structure):
        problem = f"{finding.problem} for the {keyword} of {name}"
        yield finding.under(*keys)._replace(problem=problem)


def _check_range(cfg: Mapping[str, Any]) -> Iterator[Finding]:
    kwargs = cfg["distribution"]["kwargs"]
    name = cfg["image_transform"]["name"]
    keys = ("distribution", "kwargs")
    if name == "translate":
        expected = "fade, rotate or resize, or a categorical condition"
        yield Finding(("image_transform", "name"), "translate takes pairs", name, expected)
        return
    low, high = kwargs["low"], kwargs["high"]
    yield from _check_argument(cfg, low, (*keys, "low"))
    # The upper end itself is not drawn, so it may be the first that is not allowed.
    if not (name == "fade" and high == 1):
        yield from _check_argument(cfg, high, (*keys, "high"))
    if cfg["value_transform"]["name"] == "log1p" and low <= -1:
        yield Finding((*keys, "low"), "out of range for log1p", shown(low), "above -1")


CATEGORICAL: ConfigStructure = Rule(
    {
        "token_id": TOKEN_ID,
        "image_transform": IMAGE_TRANSFORM,
        "distribution": _named(DISCRETE_DISTRIBUTIONS, "discrete distribution"),
        "categories_map": [(float, [float])],
    },
    _check_categories,
)
CONTINUOUS: ConfigStructure = Rule(
    {
        "token_id": TOKEN_ID,
        "image_transform": IMAGE_TRANSFORM,
        "distribution": _named(CONTINUOUS_DISTRIBUTIONS, "continuous distribution"),
        "value_transform": _named(VALUE_TRANSFORMS, "value transform"),
    },
    _check_range,
)

CONDITION = Tagged(
    {"known_prob": FRACTION, "is_continous": bool, "cfg": Namespace},
    tag="is_continous",
    content="cfg",
    choices={False: CATEGORICAL, True: CONTINUOUS},
    what="kind of condition",
)


def _token_places(data: Any) -> Iterator[tuple[Any, Keys]]:
    """Every well-formed token id, and where it stands."""
    yield from _tokens_below(data, ("label_condition", "token_id"))
    conditions = data.get("cond_trans_mgr") if isinstance(data, dict) else None
    for index, condition in enumerate(conditions if isinstance(conditions, list) else ()):
        for token, keys in _tokens_below(condition, ("cfg", "token_id")):
            yield token, ("cond_trans_mgr", index, *keys)


def _tokens_below(value: Any, keys: tuple[str, str]) -> Iterator[tuple[int, Keys]]:
    inside = value.get(keys[0]) if isinstance(value, dict) else None
    token = inside.get(keys[1]) if isinstance(inside, dict) else None
    if isinstance(token, int) and not isinstance(token, bool):
        yield token, keys


def _check_tokens(data: Any, _inspector: Inspector) -> Iterator[Finding]:
    first: dict[int, str] = {}
    for token, keys in _token_places(data):
        if token in first:
            problem = "two conditions have one token id"
            expected = f"an id of its own; {token} is that of {first[token]}"
            yield Finding(keys, problem, shown(token), expected)
        first.setdefault(token, ".".join(map(str, keys[:-1])))


DATA: ConfigStructure = Meaning(
    {
        "train": bool,
        "label_condition": {"token_id": TOKEN_ID, "known_prob": FRACTION},
        "cond_trans_mgr": [CONDITION],
    },
    _check_tokens,
)
