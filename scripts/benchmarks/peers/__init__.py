"""The contenders of the benchmarks, and what runs them, each in its own environment."""
