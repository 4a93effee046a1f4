"""Numba kernels on NumPy arrays: no Arrow, no input or output, no configuration."""
