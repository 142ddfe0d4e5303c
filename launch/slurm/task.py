"""Where jobs that version 0.1 submitted look for what they run: their payloads name this place."""

from launch.supervisor.task import run_task

__all__ = ["run_task"]
