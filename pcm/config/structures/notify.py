"""`notify:` of a grid file or of a user's settings: whom to tell of a failure and of the end."""

import re
from collections.abc import Iterator
from typing import Any

from pcm.config.shapes import Choice, Rule
from pcm.config.structure import ConfigStructure, Finding
from pcm.config.wording import shown

WEBHOOK = "webhook"
"""Stands for the address, which is a secret, in the place of it."""

_MAIL = re.compile(r"[^@\s/:]+@[^@\s/:]+")

_FORMS = "a mail address, `webhook`, or the path of a program: /... or ~/..., its spaces after a \\"


def is_url(target: str) -> bool:
    """Whether it is a webhook's own address."""
    return target.startswith(("https://", "http://"))


def is_program(target: str) -> bool:
    """Whether it is a program, with its arguments."""
    return target.startswith(("/", "~/"))


def _check_shared(target: str) -> Iterator[Finding]:
    if is_url(target):
        hint = "put it into your settings or PCM_NOTIFY_WEBHOOK, and say `notify: webhook` here"
        yield Finding((), "a webhook's address is a secret", None, f"`{WEBHOOK}`", hint)
    else:
        yield from _check_own(target)


def _check_own(target: str) -> Iterator[Finding]:
    is_mail = _MAIL.fullmatch(target) is not None
    if not (is_mail or target == WEBHOOK or is_url(target) or is_program(target)):
        yield Finding((), "nobody to tell", shown(target), _FORMS)


def _one_or_several(target: ConfigStructure) -> ConfigStructure:
    def is_list(value: Any) -> bool:
        return isinstance(value, list)

    return Choice(is_list, [target], target)


NOTIFY = _one_or_several(Rule(str, _check_shared))
"""Of a grid file, which the sweep keeps, and other people read."""

OWN_NOTIFY = _one_or_several(Rule(str, _check_own))
"""Of a user's own settings."""
