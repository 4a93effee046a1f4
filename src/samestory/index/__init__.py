"""The durable index: the same stages against what is stored."""
