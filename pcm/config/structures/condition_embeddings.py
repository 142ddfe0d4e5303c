"""Whether a model's condition embedding has room for the conditions of the data."""

from collections.abc import Iterator, Mapping
from typing import Any

from pcm.config.keys import Keys
from pcm.config.structure import Finding, Inspector
from pcm.config.structures.data import DATA, n_categories
from pcm.config.structures.links import LINKS
from pcm.config.structures.wiring import MAIN_COMMAND, entry, items_of

EMBEDDING = "condition_embedding/condition_set_embedding_transformer"
N_LABELS = 10
_DATA_NAMES = {"cond_ids_name": "condition_token_ids", "cat_ids_name": "condition_values"}


def check_conditions(inspector: Inspector, data: Any, embeddings: tuple[Any, ...]) -> list[Finding]:
    """Conditions and categories of well-formed data that an embedding has no row for.

    Args:
        embeddings: the links that `embeddings_of` found.
    """
    if data is None or inspector.inspect(data, DATA):
        return []
    return [finding for link in embeddings for finding in inspector.once(_check_room, data, link)]


def embeddings_of(inspector: Inspector, chain: list[Any], commands: list[Any]) -> tuple[Any, ...]:
    """Well-formed condition embeddings that get the data's own conditions."""
    embedded = inspector.once(_embedded_links, commands)
    items = [item for item in chain if isinstance(item, dict) and item.get("name") in embedded]
    return tuple(item for item in items if _is_embedding(item, inspector))


def _embedded_links(_inspector: Inspector, commands: list[Any]) -> list[Any]:
    """Links that get the data's own conditions in the main command."""
    return [
        step["link"]
        for command in commands
        if entry(command, "command_name") == MAIN_COMMAND
        for step in items_of(command, "processing_steps")
        if all(entry(entry(step, "kwargs"), key) == name for key, name in _DATA_NAMES.items())
    ]


def _is_embedding(item: Mapping[str, Any], inspector: Inspector) -> bool:
    if item.get("chain_link_spec_path") != EMBEDDING:
        return False
    return not inspector.inspect(item.get("cfg"), LINKS[EMBEDDING].structure)


def _check_room(
    _inspector: Inspector, data: Mapping[str, Any], link: Mapping[str, Any]
) -> list[Finding]:
    name, sizes = link["name"], link["cfg"]["embedding_module"]["n_categories_per_condition"]
    findings: list[Finding] = []
    for token, count, keys in _conditions(data):
        if token > len(sizes):
            problem = f"the link '{name}' has no condition {token}"
            expected = f"at most {len(sizes)}"
            findings.append(Finding((*keys, "token_id"), problem, str(token), expected))
        elif count > sizes[token - 1]:
            problem = f"the link '{name}' has too few categories for condition {token}"
            expected, found = f"at most {sizes[token - 1]}", f"{count} categories"
            findings.append(Finding((*keys, "token_id"), problem, found, expected))
    return findings


def _conditions(data: Mapping[str, Any]) -> Iterator[tuple[int, int, Keys]]:
    """Token id, number of categories (1 if continuous) and place of every condition."""
    yield data["label_condition"]["token_id"], N_LABELS, ("label_condition",)
    for index, condition in enumerate(data["cond_trans_mgr"]):
        cfg = condition["cfg"]
        count = 1 if condition["is_continous"] else n_categories(cfg["distribution"])
        yield cfg["token_id"], count, ("cond_trans_mgr", index, "cfg")
