"""Kernels of the durable index."""
