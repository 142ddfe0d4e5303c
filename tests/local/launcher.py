"""A launcher of its own process, to be signalled: launcher.py ROOT MAX_PARALLEL."""

import json
import sys
from pathlib import Path

from launch.local.runner import run_local
from launch.store import Store


def main() -> None:
    experiments = Store(Path(sys.argv[1])).experiments()
    run = run_local(experiments, int(sys.argv[2]), lambda _: None)
    states = {name: status.state for name, status in run.statuses.items()}
    print(json.dumps({"states": states, "is_interrupted": run.is_interrupted}))


if __name__ == "__main__":
    main()
