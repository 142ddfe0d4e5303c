#!/bin/bash

# Parameters
#SBATCH --array=0-2%3
#SBATCH --comment=9146569bb51d4fd0b38ea08177687de1
#SBATCH --job-name=small-chain
#SBATCH --mem=3000M
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output=@RUNS@/sweeps/small-chain/20261128-161442-324951-785f/submissions/9146569bb51d4fd0b38ea08177687de1/%A_%a_0_log.out
#SBATCH --partition=gpu
#SBATCH --requeue
#SBATCH --signal=USR2@90
#SBATCH --time=10

# setup
export PCM_SLURM_START=$(date +%s%N)
# A signal to this shell alone is passed on to the ranks.
srun() {
    command srun "$@" &
    for name in TERM USR1 USR2; do trap "kill -$name $! 2>/dev/null" $name; done
    while kill -0 $! 2>/dev/null; do wait $!; done
    wait $!
}
task=@RUNS@/sweeps/small-chain/20261128-161442-324951-785f/submissions/9146569bb51d4fd0b38ea08177687de1/"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
ln -sf payload.pkl "$task"_submitted.pkl
trap 'rm -f "$task"_submitted.pkl "$task"_*_result.pkl' EXIT

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output @RUNS@/sweeps/small-chain/20261128-161442-324951-785f/submissions/9146569bb51d4fd0b38ea08177687de1/%A_%a_%t_log.out sh -c 'trap "" TERM USR1 USR2; exec "$@"' sh @PYTHON@ -P -u -m submitit.core._submit @RUNS@/sweeps/small-chain/20261128-161442-324951-785f/submissions/9146569bb51d4fd0b38ea08177687de1
