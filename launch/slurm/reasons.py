"""Slurm's words for why a job waits, in those of a person. Pure."""

_NO_REASON = "None"
"""It tells a person nothing, unlike its other words, and is not repeated."""

_MEANINGS = {
    "AssocGrpCpuLimit": "your group's share of CPUs is used up",
    "AssocGrpGRES": "your group's share of GPUs is used up",
    "AssocGrpJobsLimit": "your group may not run more jobs at once",
    "AssocMaxJobsLimit": "you may not run more jobs at once",
    "BadConstraints": "no node has what it asks for",
    "BeginTime": "was put back and waits out Slurm's pause",
    "Dependency": "waits for another job",
    "JobArrayTaskLimit": "max_parallel of its sweep are running",
    "JobLaunchFailure": "its node could not start it",
    "JobHeldAdmin": "held by an administrator",
    "JobHeldUser": "held; scontrol release lets it go",
    "MaxJobsPerAccount": "your account may not run more jobs at once",
    "NodeDown": "a node that it needs is down",
    "launch failed requeued held": "its node could not start it; scontrol release lets it go",
    _NO_REASON: "not looked at yet",
    "PartitionConfig": "the partition can never give what it asks for",
    "PartitionDown": "the partition is down",
    "PartitionNodeLimit": "asks for more nodes than the partition may give to a job",
    "PartitionTimeLimit": "asks for more time than the partition allows",
    "JobHoldMaxRequeue": "held, as it was put back too often; scontrol release lets it go",
    "Priority": "others are before it",
    "QOSGrpGRES": "the QOS's share of GPUs is used up",
    "QOSMaxGRESPerUser": "the QOS allows you no more GPUs at once",
    "QOSMaxJobsPerUserLimit": "the QOS allows you no more jobs at once",
    "ReqNodeNotAvail": "nodes that it needs are down, drained or reserved",
    "Resources": "waits for free nodes",
}

_HELD = frozenset({"REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"})
"""States of jobs that wait for a person."""

_PAUSED = {
    "SUSPENDED": "suspended: it keeps its nodes and does nothing until Slurm lets it go on",
    "STOPPED": "stopped by Slurm: it keeps its nodes and does nothing",
}
"""States of jobs that hold nodes and don't run on them."""


def meaning(reason: str) -> str:
    """Slurm's word for why a job waits or did not start, with what it means."""
    text = _MEANINGS.get(reason.split(",", maxsplit=1)[0].strip())
    if text is None:
        return reason
    return text if reason == _NO_REASON else f"{text} ({reason})"


def why_waiting(state: str, reason: str, restarts: int) -> str:
    """Why a job waits."""
    if reason == "BeginTime" and not restarts:
        return "may not begin before the time that was asked for (BeginTime)"
    text = meaning(reason)
    if state in _HELD and "held" not in text:
        return f"held; scontrol release lets it go ({state}, {reason})"
    return text


def why_idle(state: str) -> str:
    """Why a job that holds nodes makes no progress; "" if it may."""
    return _PAUSED.get(state, "")
