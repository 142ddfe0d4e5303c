"""Which environment variables hold secrets; keeping those out of what is written and shown."""

import os
import re

_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|CREDENTIAL", re.IGNORECASE)

_SHORTEST = 6
"""A shorter value is no credential, and hiding it would garble the text."""


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds what nobody else may read."""
    return _NAME.search(name) is not None


def scrub(text: str) -> str:
    """`text` without the value of any environment variable that is named like a secret."""
    secrets = {value for name, value in os.environ.items() if is_secret(name)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "***")
    return text
