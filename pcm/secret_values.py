"""Which environment variables hold secrets; keeping those out of what is written and shown."""

import os
import re
from collections.abc import Iterator

_NAME = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|WEBHOOK|(API|ACCESS|PRIVATE)_?KEY|_KEY$",
    re.IGNORECASE,
)

_PLACE = re.compile(r"_(FILE|PATH|DIR|FOLDER|URL|SOCK)S?$", re.IGNORECASE)
"""Says where a secret is, and is none."""

_PASSWORD = re.compile(r"\w://[^/@:\s]*:([^/@\s]+)@")
"""The password in an address."""

_SHORTEST = 8
"""A shorter value is no credential, and hiding it would garble the text."""


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds what nobody else may read."""
    return _NAME.search(name) is not None and _PLACE.search(name) is None


def scrub(text: str) -> str:
    """`text` with the name in the place of each value of a variable that is named like a secret."""
    secrets = {
        secret: name for name, value in os.environ.items() for secret in _secrets_in(name, value)
    }
    for value in sorted(secrets, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, f"***{secrets[value]}***")
    return text


def _secrets_in(name: str, value: str) -> Iterator[str]:
    if is_secret(name):
        yield value
    # As in MLFLOW_TRACKING_URI=https://me:password@mlflow.example.org
    yield from _PASSWORD.findall(value)
