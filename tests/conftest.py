"""What holds for all tests."""

import os
import signal

# Several tests run at once, and each may start several ranks: one thread each is fastest.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell starts what it puts in the background with Ctrl-C ignored, and so does nohup with
# hang-ups; programs started from here would inherit that, and the tests send them both.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
