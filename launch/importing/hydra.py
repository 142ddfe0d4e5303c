"""`multirun.yaml`, which Hydra writes into the folder of every multirun.

The script stays a Hydra application, and composes its config itself: each point is started with
the overrides that the multirun's job of that point had.
"""

from collections.abc import Mapping
from typing import Any

from launch.importing.imported import Imported, script_grid


def is_hydra(data: Mapping[str, Any]) -> bool:
    """Whether a file is of a multirun."""
    hydra = data.get("hydra")
    return isinstance(hydra, dict) and ("overrides" in hydra or "sweeper" in hydra)


def import_hydra(data: Mapping[str, Any]) -> Imported:
    """The grid of a multirun."""
    hydra = data["hydra"]
    job = hydra.get("job") or {}
    name = str(job.get("name") or "hydra")
    overrides = [str(each) for each in (hydra.get("overrides") or {}).get("task") or []]
    sweeper = (hydra.get("sweeper") or {}).get("params") or {}
    overrides += [f"{key}={value}" for key, value in sweeper.items()]
    words: list[Any] = ["python", f"{name}.py"]
    params: dict[str, Any] = {}
    axes: dict[str, list[Any]] = {}
    left = ["hydra.launcher and the folders of hydra.sweep: pcm has its own"]
    for each in overrides:
        key, _, text = each.partition("=")
        if key.startswith("~") or not _:
            words.append(_literal(each))
            continue
        values = _values(text)
        if values is None:
            left.append(f"{each}: a sweep that is none of a list, choice() or range()")
            continue
        param = key.lstrip("+").replace("@", "_").replace("/", "_")
        words.append(f"{_literal(key)}={{{param}}}")
        if len(values) > 1:
            axes[param] = values
        else:
            params[param] = values[0]
    words.append("hydra.run.dir={run_dir}/hydra")
    left.append(f"the script's path: it is taken for {name}.py in the folder of the launch")
    return Imported("Hydra", script_grid(name, words, params, axes), left=left)


def _literal(word: str) -> str:
    """A word whose braces are its own."""
    return word.replace("{", "{{").replace("}", "}}")


def _values(text: str) -> list[Any] | None:
    """What an override sweeps over; one value for what it sets, None for what isn't understood.

    Values stay as they are spelt: the script reads them as it did.
    """
    function, is_call, rest = text.partition("(")
    if is_call and rest.endswith(")"):
        arguments = _split(rest[:-1])
        if function == "choice":
            return list(arguments)
        if function == "range" and all(each.lstrip("-").isdecimal() for each in arguments):
            # A step of 0 is told by whoever reads the file.
            return list(range(*map(int, arguments)))
        return None
    return list(_split(text))


def _split(text: str) -> list[str]:
    """At the commas that are in no bracket and in no quotes."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote or character in "'\"":
            quote = "" if character == quote else quote or character
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
