"""On a cluster that isn't ours, leave out the tests that only one of our own may suffer."""

import pytest

from tests.cluster.existing import NEEDED, PARTITION


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what must not be done to a cluster that isn't ours."""
    if PARTITION is None:
        return
    left_out = [item for item in items if item.get_closest_marker("own_cluster")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests were deselected."""
    if PARTITION is not None:
        terminalreporter.write_line(NEEDED)
