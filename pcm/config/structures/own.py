"""A class of the user's own in place of a model or data file, as Lightning writes it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pcm.config.shapes import Meaning, Record, Rule
from pcm.config.structure import ConfigStructure, Finding, Findings, Inspector, Shape
from pcm.config.structures.torch_arguments import bounds_of, check_optimizer, check_schedule
from pcm.config.wording import shown

_CLASS_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")

_WAYS = re.compile(r"(?:\./)?([\w/.]+?)(?:\.py)?(?::{1,2}|\.py\.)(\w+)")
"""Other ways to name a class: `my_model.py:Model`, `src/my_model:Model`."""

_INTERPOLATION = re.compile(r"^\$\{.+\}$|\$\{[^{}]*[.:][^{}]*\}")
"""Of OmegaConf, as in Hydra's files; inside a text only what has a path or resolver, as in
`${paths.root}/data`, since Python's own templates have plain names."""

_TARGET = "_target_"

_NESTED = Record({"class_path": str}, {"init_args": (None, dict), "partial": bool})
"""An argument that is an object; `partial`: a factory of one, which takes further arguments."""


class _Argument(Shape):
    """An argument, and the objects in it, however deep."""

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        if isinstance(value, str) and _INTERPOLATION.search(value):
            return [
                Finding((), "an interpolation, which nobody resolves", value, "the value itself")
            ]
        if names_hydra_class(value):
            return _refuse_hydra(value)
        if names_own_class(value):
            return inspector.inspect(value, _NESTED) or _class_findings(value, inspector)
        if isinstance(value, dict):
            return inspector.inspect_entries(value, dict.fromkeys(value, ARGUMENT))
        return inspector.inspect(value, _ARGUMENTS) if isinstance(value, list) else ()

    def __str__(self) -> str:
        return "an argument"


ARGUMENT: ConfigStructure = _Argument()
_ARGUMENTS = [ARGUMENT]


_OWN = Record({"class_path": str}, {"init_args": dict})


def _check_own_class(cfg: Any, inspector: Inspector) -> Findings:
    return _once_of_hydra(() if inspector.look(cfg, _OWN) else _class_findings(cfg, inspector))


def _once_of_hydra(findings: Findings) -> list[Finding]:
    """Of many words of Hydra's the first says it all."""
    theirs = [finding for finding in findings if finding.keys[-1:] == (_TARGET,)]
    return [finding for finding in findings if finding not in theirs[1:]]


def _class_findings(cfg: dict[str, Any], inspector: Inspector) -> list[Finding]:
    path, findings = cfg["class_path"], []
    if not _CLASS_PATH.fullmatch(path):
        findings = [_of_no_class_path(path)]
    arguments = cfg.get("init_args") or {}
    inside = inspector.inspect_entries(arguments, dict.fromkeys(arguments, ARGUMENT))
    inside += inspector.inspect_entries(arguments, bounds_of(path))
    return [*findings, *(finding.under("init_args") for finding in inside)]


def _of_no_class_path(path: str) -> Finding:
    """With what is meant, where it is a class in another way of writing, or a class alone."""
    hint = None
    if meant := _WAYS.fullmatch(path):
        dotted = f"{meant[1].replace('/', '.')}.{meant[2]}"
        hint = f"write {dotted}" if _CLASS_PATH.fullmatch(dotted) else None
    elif path.isidentifier():
        hint = f"write the module that it is in before it, as in my_model.{path} for my_model.py"
    return Finding(("class_path",), "not a class path", shown(path), "package.module.Class", hint)


OWN_CLASS: ConfigStructure = Meaning(_OWN, _check_own_class)

_GIVEN = Record({"class_path": str}, {"init_args": (None, dict)})
_OWN_MODEL = Record(
    {"class_path": str},
    {"init_args": dict, "optimizer": (None, _GIVEN), "lr_scheduler": (None, _GIVEN)},
)

GIVEN = ("optimizer", "lr_scheduler")
"""What a model file may have beside a class, as a LightningCLI's config; each of them takes one
argument from training, before those of the file."""

_PLATEAU = "lightning.pytorch.cli.ReduceLROnPlateau"
_WITHOUT_METRIC = ("torch.optim.ReduceLROnPlateau", "torch.optim.lr_scheduler.ReduceLROnPlateau")


def _check_own_model(cfg: Any, inspector: Inspector) -> Findings:
    if inspector.look(cfg, _OWN_MODEL):
        return ()
    findings = _class_findings(cfg, inspector)
    for key in GIVEN:
        if cfg.get(key):
            findings += [each.under(key) for each in _class_findings(cfg[key], inspector)]
    optimizer, scheduler = cfg.get("optimizer"), cfg.get("lr_scheduler")
    if optimizer:
        findings += [each.under("optimizer") for each in check_optimizer(optimizer)]
    if scheduler and optimizer:
        found = check_schedule(scheduler, optimizer["class_path"])
        findings += [each.under("lr_scheduler") for each in found]
    elif scheduler:
        expected = "an optimizer beside it"
        findings.append(Finding(("lr_scheduler",), "of no optimizer", expected=expected))
    return _once_of_hydra([*findings, *_check_metric(scheduler or {})])


def _check_metric(scheduler: Mapping[str, Any]) -> Iterable[Finding]:
    path, arguments = scheduler.get("class_path"), scheduler.get("init_args") or {}
    if path in _WITHOUT_METRIC:
        expected = f"{_PLATEAU}, which takes a `monitor`"
        yield Finding(("lr_scheduler", "class_path"), "it goes by no metric", path, expected)
    elif path == _PLATEAU and not isinstance(arguments.get("monitor"), str):
        expected = "monitor: val/loss, or another metric, among its init_args"
        yield Finding(("lr_scheduler",), "it goes by no metric", expected=expected)


OWN_MODEL: ConfigStructure = Meaning(_OWN_MODEL, _check_own_model)
"""A model: other than with data, its optimizer may stand beside it."""


def _refuse_hydra(cfg: dict[str, Any]) -> list[Finding]:
    expected = "class_path: package.module.Class, and its arguments below init_args:"
    if str(cfg[_TARGET]).endswith(".Trainer"):
        expected = "a trainer file, whose kwargs: are those of Lightning's Trainer"
    hint = "docs/your-own.md shows it; `pcm import` rewrites a whole config of Hydra's"
    return [Finding((_TARGET,), "this is Hydra's word", shown(cfg[_TARGET]), expected, hint)]


HYDRA_CLASS: ConfigStructure = Rule(dict, _refuse_hydra)


def names_hydra_class(cfg: Any) -> bool:
    """Whether a file is one of Hydra's."""
    return isinstance(cfg, dict) and _TARGET in cfg and "class_path" not in cfg


def means_own_class(cfg: Any) -> bool:
    """Whether a model or data file is of such a class, though perhaps it misspells `class_path`."""
    return isinstance(cfg, dict) and ("class_path" in cfg or "init_args" in cfg)


def names_own_class(cfg: Any) -> bool:
    """Whether a model or data file, or an argument, names a class of the user's own."""
    return isinstance(cfg, dict) and "class_path" in cfg
