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
#SBATCH --output='/scratch/it'"'"'s my runs/sweeps/digits/20260101-000000/submissions/0123456789abcdef/%A_%a_0_log.out'
#SBATCH --partition=gpu
#SBATCH --requeue
#SBATCH --signal=USR2@90
#SBATCH --time=720

# setup
export PCM_SLURM_START=$(date +%s%N)
# A signal to this shell alone is passed on to the ranks.
srun() {
    command srun "$@" &
    for name in TERM USR1 USR2; do trap "kill -$name $! 2>/dev/null" $name; done
    while kill -0 $! 2>/dev/null; do wait $!; done
    wait $!
}
command -v module > /dev/null || source "$MODULESHOME/init/bash"
module load python/3.12 || exit 1
module load 'it'"'"'s' || exit 1
export OMP_NUM_THREADS=8

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output '/scratch/it'"'"'s my runs/sweeps/digits/20260101-000000/submissions/0123456789abcdef/%A_%a_%t_log.out' --cpus-per-task=8 sh -c 'trap "" TERM USR1 USR2; exec "$@"' sh /python -P -u -m launch.supervisor '/scratch/it'"'"'s my runs/sweeps/digits/20260101-000000/submissions/0123456789abcdef'
