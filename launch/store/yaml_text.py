"""Data as YAML 1.2 text."""

from typing import Any

import yaml

from pcm.config.scalars import resolve_scalar


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.2 would not read back as a string; repeats instead of aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- PyYAML's signature
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None if _reads_as_text(text) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _reads_as_text(text: str) -> bool:
    try:
        return isinstance(resolve_scalar(text), str)
    except ValueError:
        return False


_Dumper.add_representer(str, _represent_text)


def dump_yaml(data: Any) -> str:
    """Data as YAML 1.2 that reads back equal."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text
