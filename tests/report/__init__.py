"""The page of `pcm report`, in a real browser."""
