"""The page of `pcm report`: one HTML file with everything in it."""
