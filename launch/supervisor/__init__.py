"""What runs on the compute node, outside of any image: one supervisor a rank.

It starts the training process, passes requests to stop on, and records how it ended.
"""

from launch.supervisor.supervise import supervise

__all__ = ["supervise"]
