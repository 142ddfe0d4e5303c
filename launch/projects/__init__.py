"""Small projects that run at once: what `pcm init` begins with."""
