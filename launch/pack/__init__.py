"""One job of Slurm that trains many experiments: draws them from its array's list, a few at once.

It is what the tasks of an array of packs run on their nodes. Each experiment stays what it is
anywhere else: own run directory, supervisors, attempts, lock and log.
"""
