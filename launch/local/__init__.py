"""Running experiments on this machine, by submitit's local executor or in this process."""
