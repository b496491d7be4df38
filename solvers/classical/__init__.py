"""Classical solvers."""
