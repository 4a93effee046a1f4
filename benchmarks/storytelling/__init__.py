"""The parts of stories.py: labelled stories, ways to find them, and how right the answers are."""
