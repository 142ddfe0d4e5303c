"""Why a tracker failed, for people: without secrets, short, and the same for the same trouble."""

import re

from pcm.errors import RefusedError
from pcm.secret_values import scrub

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Of an object in memory, another one at each try: the trouble would seem to be a new one."""

_LONGEST = 500
"""A proxy answers with a whole page of HTML."""


def reason_of(error: Exception) -> str:
    """What an error says; of one that is not for people, its type as well."""
    text = scrub(_ADDRESS.sub("", _words_of(error)))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _words_of(error: Exception) -> str:
    if isinstance(error, RefusedError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        # What a disk or a name server says, which no type makes clearer.
        return ": ".join(filter(None, [error.strerror, str(error.filename or "")]))
    return repr(error)
