"""Why an experiment is where it is: what the queue, its files and Slurm's accounting tell."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launch.damage import whole
from launch.slurm.accounting import Account, read_account
from launch.status.queues import newest_hand_overs
from launch.status.ranks import rank_states
from launch.status.state import State, Status
from launch.status.why import TRACEBACK_LINES, Why, log_end, why
from launch.store import Experiment, RunsRoot
from launch.store.records import (
    is_code_edited,
    newest_attempt,
    notice_damaged,
    read_attempt,
    unkept_attributes,
)
from launch.store.submissions import Submission
from launch.text import duration, number
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import AttemptRecord, StopRecord, VerdictRecord
from pcm.run_dir.records import OutcomeRecord
from pcm.run_dir.typed_json import read


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say.

    Attributes:
        facts: label and text of what is said in one line each.
        text: the end of a traceback or a log; "" for none.
    """

    facts: tuple[tuple[str, str], ...]
    text: str = ""


def explain(experiment: Experiment, status: Status) -> Explanation:
    """Put together why an experiment is in its state."""
    notice_damaged(experiment)
    files = newest_attempt(experiment.run_dir)
    record = AttemptRecord() if files is None else read_attempt(files)
    failure = None if _is_of_former_job(status, record) else why(experiment.run_dir)
    facts = [("state", ": ".join(filter(None, [status.state, status.detail])))]
    if status.expected_start is not None and status.expected_start > time.time():
        facts.append(
            ("starts", f"in {duration(status.expected_start - time.time())}, Slurm thinks")
        )
    if status.job is not None:
        facts.append(("job", status.job))
    if files is not None:
        facts += _attempt(files, record)
        if is_code_edited(experiment.launch, files):
            facts.append(("code", "edited after the launch; the attempt ran it as it was then"))
    if files is not None and status.state.is_active:
        facts += ((f"rank {rank}", text) for rank, text in rank_states(files))
    if failure is not None and files is not None:
        facts += _failure(failure, files)
    log = None if failure is not None else _early_log(experiment, status, record)
    if log is not None:
        facts.append(("log", str(log)))
    # What Slurm says of a pack's job is about others, too.
    if status.job is not None and status.state.is_ended and not record.is_packed:
        facts += _account(_read_account(experiment, status.job), experiment)
    text = "" if log is None else _end(log)
    return Explanation(tuple(facts), text if failure is None else failure.text)


def _is_of_former_job(status: Status, newest: AttemptRecord) -> bool:
    """Whether the newest attempt says nothing of where the experiment stands now."""
    if status.state is State.PENDING:
        return True
    return newest.executor == "slurm" and status.job not in (None, newest.job_id)


def _early_log(experiment: Experiment, status: Status, newest: AttemptRecord) -> Path | None:
    """What a job printed that ended before training began."""
    if status.job is None or not status.state.is_ended:
        return None
    if newest.job_id == status.job:
        return None
    submission = _submission(experiment, status.job)
    folders = () if submission is None else submission.files.log_folders
    # The job's own comes before those of its ranks.
    found = (sorted(folder.glob(f"{status.job}_*_log*")) for folder in folders)
    return next((logs[0] for logs in found if logs), None)


def _end(log: Path) -> str:
    return "\n".join(log_end(log).strip().splitlines()[-TRACEBACK_LINES:])


def _submission(experiment: Experiment, job: str) -> Submission | None:
    """The newest array of an experiment, if it is that job's."""
    handed_over = newest_hand_overs(RunsRoot(experiment.launch.root), [experiment.id])
    found = handed_over.get(experiment.id)
    is_its = found is not None and found.submission.job_id == job.partition("_")[0]
    return found.submission if found is not None and is_its else None


def _read_account(experiment: Experiment, job: str) -> Account | None:
    """What accounting knows of a job; nothing where its site says that there is none."""
    submission = _submission(experiment, job)
    launch = experiment.launch if submission is None else submission.files.launch
    cluster = None if submission is None else submission.clusters[0]
    return read_account(job, cluster) if launch.has_accounting else None


def _attempt(files: AttemptDir, record: AttemptRecord) -> Iterator[tuple[str, str]]:
    yield "attempt", f"{files.number} on {record.host or 'an unknown machine'}"
    if record.warning:
        yield "warning", record.warning
    unkept = unkept_attributes(files)
    if unkept:
        yield "not kept", ", ".join(unkept)
    stop = whole(read(StopRecord, files.stop))
    if stop is not None:
        yield "stop", f"asked for by {stop.by}"
    verdict = whole(read(VerdictRecord, files.verdict))
    if verdict is not None:
        is_back = verdict.comes_back and verdict.is_sent_back
        comes_back = "" if is_back else "does not come back by itself"
        yield "verdict", ", ".join(filter(None, [verdict.reason, verdict.detail, comes_back]))


def _failure(failure: Why, files: AttemptDir) -> Iterator[tuple[str, str]]:
    yield "first", f"rank {failure.rank}: {failure.reason}"
    outcome = whole(read(OutcomeRecord, files.outcome(failure.rank))) or OutcomeRecord()
    if outcome.signal:
        yield "end", f"killed by {outcome.signal}"
    elif outcome.exit_code is not None:
        yield "end", f"exit code {outcome.exit_code}"
    if outcome.largest_process_mb:
        yield "memory", f"its largest process took {number(outcome.largest_process_mb)} MB"
    yield "log", str(failure.log)


def _account(account: Account | None, experiment: Experiment) -> Iterator[tuple[str, str]]:
    """What Slurm says of a job that has ended; without accounting what it asked for at least."""
    asked = experiment.resources.mem_per_node if account is None else account.asked_mb
    if account is not None:
        yield "Slurm", f"{account.state}, exit code {account.exit_code}, on {account.nodes}"
    if account is not None and account.used_mb is not None:
        yield "used", f"{account.used_mb:.0f} MB at least, measured now and then"
    if asked is not None:
        yield "asked for", f"{number(asked)} MB"
