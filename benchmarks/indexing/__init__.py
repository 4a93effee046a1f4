"""Measuring the durable index: each step is a process of its own, so that none bears what another keeps."""
