"""Training on GPUs, which few machines have that run the tests; elsewhere each test says so."""
