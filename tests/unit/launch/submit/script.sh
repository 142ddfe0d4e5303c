#!/bin/bash

# Parameters
#SBATCH --account=my-project
#SBATCH --array=0-2%2
#SBATCH --comment='paid by us 0123456789abcdef'
#SBATCH --cpus-per-task=8
#SBATCH --dependency=afterany:17
#SBATCH --exclusive
#SBATCH --gres=gpu:4
#SBATCH --job-name=digits
#SBATCH --mail-type=END
#SBATCH --mem=131072M
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --open-mode=append
#SBATCH --output='/scratch/it'"'"'s my runs/sweeps/digits/20260101-000000/submissions/0123456789abcdef/rank-0/%A_%a_0_log.out'
#SBATCH --partition=gpu
#SBATCH --requeue
#SBATCH --signal=USR2@90
#SBATCH --time=720

# setup
export PCM_SLURM_START=$(date +%s%N)
pcm_task='/scratch/it'"'"'s my runs/sweeps/digits/20260101-000000/submissions/0123456789abcdef'/"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
rm -f "$pcm_task"_signal
# A signal to this shell alone is passed on to the ranks by srun, which does so with USR1 and
# USR2 alone. Which one it was is in a file. `setup` may have any options of the shell on.
pcm_srun=
pcm_pass_on() {
    echo "$1" >| "$pcm_task"_signal || :
    if [ -n "$pcm_srun" ]; then kill -USR2 "$pcm_srun" 2> /dev/null || :; fi
}
pcm_listen() {
    local name
    for name in HUP INT TERM USR1 USR2; do trap "pcm_pass_on $name" "$name"; done
}
pcm_listen
srun() {
    local code=0
    pcm_listen
    (trap '' USR1 USR2; exec srun "$@") &
    pcm_srun=$!
    while kill -0 "$pcm_srun" 2> /dev/null; do wait "$pcm_srun" || :; done
    wait "$pcm_srun" || code=$?
    rm -f "$pcm_task"_signal
    return "$code"
}
command -v module > /dev/null || source "$MODULESHOME/init/bash"
module load python/3.12 || exit 1
module load 'it'"'"'s' || exit 1
export OMP_NUM_THREADS=8

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output '/scratch/it'"'"'s my runs/sweeps/digits/20260101-000000/submissions/0123456789abcdef/rank-%t/%A_%a_%t_log.out' --export=ALL --cpus-per-task=8 /bin/sh -c 'trap "" TERM USR1 USR2; exec "$@"' sh /python -ISc 'import os,signal,sys;signal.pthread_sigmask(0,{signal.SIGTERM,signal.SIGUSR1,signal.SIGUSR2});os.execv(sys.argv[1],sys.argv[1:])' /python -P -u -m launch.supervisor '/scratch/it'"'"'s my runs/sweeps/digits/20260101-000000/submissions/0123456789abcdef'
