"""This process: what JAX compiles, memory and devices, and the terminal."""
