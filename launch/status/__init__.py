"""Where experiments stand: what files, processes, queues and Slurm tell of them."""
