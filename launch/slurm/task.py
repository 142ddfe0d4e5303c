"""Where the payload of an array was until 0.1.0: what waits in a queue since then names it so."""

from launch.supervisor.task import run_task

__all__ = ["run_task"]
