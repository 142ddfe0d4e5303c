"""What a resume brings back and Lightning's checkpoints lack: of modules, loaders and ranks."""
