"""What a person is told when sbatch refuses."""

import pytest

from launch.submit.sbatch_errors import NoRoomError, refusal
from pcm.errors import ExitCode

POLICY = (
    "sbatch: error: QOSMaxSubmitJobPerUserLimit\n"
    "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy "
    "(job submit limit, user's size and/or time limits)\n"
)


@pytest.mark.parametrize(
    ("errors", "remedy"),
    [
        (POLICY.replace("Submit", ""), "sacctmgr"),
        ("Batch job submission failed: Invalid job array specification", "max_array_size"),
        ("Batch job submission failed: Invalid partition name specified", "sinfo -s"),
        ("Invalid account or account/partition combination specified", "sacctmgr"),
        ("Batch job submission failed: Invalid qos specification", "sacctmgr"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "--time"),
        ("Requested node configuration is not available", "sinfo -Neo"),
        ("Unable to contact slurm controller (connect failure)", "launch again"),
        ("Batch job submission failed: Invalid feature specification", "--constraint"),
        ("Batch job submission failed: Requested reservation is invalid", "--reservation"),
        ("Batch job submission failed: Invalid node name specified", "--exclude"),
        ("Batch job submission failed: Memory specification can not be satisfied", "`memory:`"),
        ("something nobody has seen before", "--dry-run"),
        ("", "--dry-run"),
    ],
)
def test_each_refusal_has_its_remedy(errors: str, remedy: str) -> None:
    refused = refusal(errors, 1000)
    assert refused.hint is not None
    assert remedy in refused.hint
    assert refused.message.startswith("Slurm did not take 1,000 experiments: ")
    assert refused.exit_code is ExitCode.REFUSED


@pytest.mark.parametrize(
    "errors",
    [
        POLICY,
        POLICY.replace("QOSMaxSubmitJobPerUserLimit", "AssocGrpSubmitJobsLimit"),
        "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying",
        "sbatch: error: Slurm job queue full, sleeping and retrying.",
        "Batch job submission failed: Resource temporarily unavailable",
    ],
)
def test_a_lack_of_room_is_told_from_what_never_gets_in(errors: str) -> None:
    refused = refusal(errors, 1000)
    assert isinstance(refused, NoRoomError)
    assert refused.message == f"Slurm did not take 1,000 experiments: {refused.said}"
    never = refusal("Batch job submission failed: Job violates accounting/QOS policy", 1)
    assert not isinstance(never, NoRoomError)


def test_what_is_said_again_and_again_is_told_once() -> None:
    line = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n"
    told = refusal(line * 15, 2).message
    assert told.count("temporarily unable") == 1
    assert "sbatch: error" not in told
