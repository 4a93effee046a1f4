"""The pipeline in pieces as small as can be: what must change no result."""

from __future__ import annotations

import dataclasses

import pytest

from samestory.budget import Budget


def tiny_batches(patch: pytest.MonkeyPatch) -> None:
    for name, value in (("MAX_ROWS", 7), ("TARGET_BYTES", 900), ("_SMALL_BYTES", 200), ("_SMALL_ROWS", 3)):
        patch.setattr(f"samestory.read.bounded.{name}", value)


def texts_in_a_file(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("samestory.textstore.MEMORY_BYTES", 100)


def texts_read_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("samestory.textstore.MEMORY_BYTES", 100)
    patch.setattr("samestory.textstore.FILE_BYTES", 100)


def tiny_rounds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("samestory.pipeline.ROUND_BYTES", 500)


def rounds_from_a_file(patch: pytest.MonkeyPatch) -> None:
    """Texts in a file that are brought into the order of the rounds."""
    for change in (tiny_batches, texts_in_a_file, tiny_rounds):
        change(patch)


def tiny_stories(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("samestory.pipeline._MOST_PAIRS", 3)
    patch.setattr("samestory.story.neighbours._CHUNK", 5)
    patch.setattr("samestory.story.neighbours._PARTS", 3)
    patch.setattr("samestory.story.grouping._EDGES_AT_ONCE", 4)


def tiny_tables(patch: pytest.MonkeyPatch) -> None:
    """Metadata in a file, and tables made a few rows at a time."""
    allow(patch, metadata=0)
    patch.setattr("samestory.metadata.BLOCK_ROWS", 5)
    patch.setattr("samestory.pieces.PIECE_ROWS", 7)


def stories_in_files(patch: pytest.MonkeyPatch) -> None:
    allow(patch, stories=1)
    patch.setattr("samestory.story.stored.LEAST_AT_ONCE", 7)
    patch.setattr("samestory.story.postings.LEAST_SORTED", 1000)
    patch.setattr("samestory.story.blocks._CHUNK", 3)


def allow(patch: pytest.MonkeyPatch, **shares: int) -> None:
    """Give some things as much memory, whatever a run may take."""
    divide = Budget.of
    patch.setattr(Budget, "of", staticmethod(lambda *given: dataclasses.replace(divide(*given), **shares)))


def everything_tiny(patch: pytest.MonkeyPatch) -> None:
    changes = (tiny_batches, texts_read_again, tiny_rounds, tiny_stories, tiny_tables, stories_in_files)
    for change in changes:
        change(patch)
