"""Write constraints.txt: the version of every package in the environment that runs this."""

import re
from importlib.metadata import distributions
from pathlib import Path

TOOLS = {"pcm", "pip", "uv"}
"""What is here, but is not a dependency."""

TARGET = Path(__file__).parent.parent / "constraints.txt"


def pins() -> list[str]:
    """One `name==version` a package, by name."""
    found = {
        re.sub(r"[-_.]+", "-", package.name).lower(): package.version for package in distributions()
    }
    return [f"{name}=={version}" for name, version in sorted(found.items()) if name not in TOOLS]


if __name__ == "__main__":
    header = "# What was tested; written by `make constraints`."
    TARGET.write_text("\n".join([header, *pins()]) + "\n")
