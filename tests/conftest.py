"""What holds for all tests."""

import os

# Several tests run at once, and each may start several ranks: one thread each is fastest.
os.environ.setdefault("OMP_NUM_THREADS", "1")
