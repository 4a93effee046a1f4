"""The parts of quality.py: sets of articles, tools run on them, and judges of what they answer."""
