"""What a sweep may be called: its name is a folder's, and a job's."""

import re

_MARKS = {
    "/": "a slash",
    "\\": "a backslash",
    "%": "a '%', a mark of Slurm's own in names of files,",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def name_problem(name: str) -> str | None:
    """Why `name` can't be a sweep's name; None if it can."""
    if not name.strip():
        return "an empty name"
    if name != name.strip():
        return "a name that begins or ends with a space"
    mark = next((mark for mark in _MARKS if mark in name), None)
    if mark is not None or _CONTROL.search(name):
        what = "a control character" if mark is None else _MARKS[mark]
        return f"a name with {what} can't be that of a job and its folder"
    if name[0] in ".-":
        return f"a name can't begin with '{name[0]}'"
    if len(name.encode()) > 100:
        return "a name of more than 100 bytes"
    return None
