"""Somebody who is told."""

from pathlib import Path

import pytest


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Appends what it is told to `told`."""
    path = tmp_path / "tell"
    path.write_text(
        f"#!/bin/sh\ncat >> '{tmp_path / 'told'}'; echo ---- >> '{tmp_path / 'told'}'\n"
    )
    path.chmod(0o755)
    return path
