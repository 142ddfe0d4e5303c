"""Where experiments are: what their files, processes, queues and Slurm tell of them."""
