"""What Lightning refuses: before training it is the config's, later the code's or the data's."""

from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import read_json
from tests.resume.in_process import train
from tests.resume.runs import make_run, own


@pytest.mark.parametrize(
    ("config", "code", "kind", "said"),
    [
        ({"model": own("Unheard")}, ExitCode.EXPERIMENT_FAILED, "Misconfiguration", "not useful"),
        ({"kwargs": {"val_check_interval": 11}}, ExitCode.CONFIG_INVALID, "ConfigError", "(11)"),
    ],
    ids=["while it trains", "before it trains"],
)
def test_whose_fault_it_is(
    tmp_path: Path, config: dict[str, Any], code: ExitCode, kind: str, said: str
) -> None:
    run_dir = make_run(tmp_path / "run", **config)
    assert train(run_dir) == code
    error = read_json(run_dir.attempt(1).error(0))
    assert error["type"].startswith(kind)
    assert said in error["message"]
    assert ("report" in error["traceback"]) is (code == ExitCode.EXPERIMENT_FAILED)
