"""Each prints ratios against a peer or a limit; see README.md."""
