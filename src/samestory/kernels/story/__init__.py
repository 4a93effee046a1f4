"""Kernels of the stories: terms, neighbours, groups."""
