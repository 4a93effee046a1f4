"""The configuration: checked once, frozen, and known by its fingerprint."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samestory
from samestory import Config, ConfigError

WRONG: list[tuple[str, Any]] = [
    ("threshold", 0),
    ("threshold", 0.0),
    ("threshold", 1.0001),
    ("threshold", -0.5),
    ("threshold", float("nan")),
    ("threshold", "0.7"),
    ("threshold", True),
    ("threshold", None),
    ("containment", 0),
    ("containment", 1.01),
    ("containment", float("nan")),
    ("containment", True),
    ("founder_overlap", -0.1),
    ("founder_overlap", 1.1),
    ("founder_overlap", "0.2"),
    ("founder_overlap", False),
    ("partial", 1),
    ("partial", None),
    ("boilerplate", "no"),
    ("recall", 0.0),
    ("recall", 1.0),
    ("recall", float("inf")),
    ("num_perm", 1),
    ("num_perm", 1025),
    ("num_perm", 64.0),
    ("num_perm", True),
    ("seed", -1),
    ("seed", 2**32),
    ("seed", 1.5),
    ("shingle", "word"),
    ("shingle", "word:0"),
    ("shingle", "word:-1"),
    ("shingle", "word:1000"),
    ("shingle", "words:5"),
    ("shingle", "char: 5"),
    ("shingle", "word:5\n"),
    ("shingle", "word:٥"),
    ("shingle", 5),
    ("level", "paragraph"),
    ("story_threshold", 0.0),
    ("story_threshold", 1.0),
    ("story_window", "7"),
    ("story_window", "0d"),
    ("representative", "newest"),
    ("representative", ["first"]),
    ("on_error", "ignore"),
    ("format", "xlsx"),
    ("threads", 0),
    ("threads", 2.0),
]
EDGES: list[tuple[str, Any]] = [
    ("threshold", 1),
    ("threshold", 1.0),
    ("threshold", 1e-9),
    ("containment", 1),
    ("containment", 1e-9),
    ("founder_overlap", 0),
    ("founder_overlap", 1),
    ("partial", False),
    ("boilerplate", False),
    ("recall", 1e-9),
    ("recall", 1 - 1e-12),
    ("num_perm", 2),
    ("num_perm", 1024),
    ("seed", 0),
    ("seed", 2**32 - 1),
    ("shingle", "word:1"),
    ("shingle", "char:999"),
    ("story_threshold", 0.05),
    ("story_threshold", 0.99),
    ("story_window", "0.5h"),
    ("story_window", "99999w"),
    ("threads", 1),
    ("format", "tsv"),
]


def test_defaults_are_the_promised_ones() -> None:
    config = Config()
    assert (config.threshold, config.shingle, config.num_perm, config.seed) == (0.7, "word:3", 128, 1)
    assert (config.containment, config.partial, config.boilerplate) == (0.25, True, True)
    assert config.founder_overlap == 0.0
    assert (config.story_threshold, config.story_window) == (0.5, "7d")
    assert (config.recall, config.level, config.representative) == (0.99, "duplicate", "earliest")
    assert (config.on_error, config.threads, config.format) == ("fail", None, None)


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda item: repr(item))
def test_what_cannot_be_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{name} is {value!r}")):
        Config(**{name: value})


@pytest.mark.parametrize(("name", "value"), EDGES, ids=lambda item: repr(item))
def test_ends_of_the_ranges_are_allowed(name: str, value: Any) -> None:
    assert getattr(Config(**{name: value}), name) == value


@pytest.mark.parametrize("name", ["level", "representative", "on_error", "format"])
def test_a_wrong_choice_is_told_the_right_ones(name: str) -> None:
    with pytest.raises(ConfigError, match="Hint: one of "):
        Config(**{name: "other"})


def test_config_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="threshold"):
        Config(threshold=2)


def test_frozen_and_keyword_only() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().threshold = 0.5  # type: ignore[misc]
    with pytest.raises(TypeError):
        Config(0.5)  # type: ignore[misc]
    with pytest.raises(TypeError):
        Config(treshold=0.5)  # type: ignore[call-arg]


@given(st.sampled_from(("word", "char")), st.integers(1, 999))
def test_parts_of_the_shingle(unit: str, size: int) -> None:
    config = Config(shingle=f"{unit}:{size}")
    assert (config.shingle_unit, config.shingle_size) == (unit, size)


def test_evidence_is_a_few_lines_of_text_or_out_of_reach() -> None:
    assert (Config().evidence, Config(shingle="char:9").evidence) == (12, 60)
    assert Config(partial=False).evidence > 10**9


def test_threads() -> None:
    assert Config(threads=3).n_threads == 3
    assert 1 <= Config().n_threads <= (os.cpu_count() or 1)


OTHER_ANSWERS: list[tuple[str, Any]] = [
    ("threshold", 0.8),
    ("containment", 0.5),
    ("partial", False),
    ("boilerplate", False),
    ("founder_overlap", 0.2),
    ("shingle", "char:5"),
    ("num_perm", 64),
    ("seed", 2),
    ("recall", 0.9),
    ("representative", "longest"),
    ("level", "story"),
    ("story_threshold", 0.6),
    ("story_window", "3d"),
]
SAME_ANSWER: list[tuple[str, Any]] = [("threads", 7), ("on_error", "skip"), ("format", "csv")]


def test_fingerprint_is_of_sixteen_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", Config().fingerprint)


@pytest.mark.parametrize(("name", "value"), OTHER_ANSWERS)
def test_fingerprint_tells_settings_that_decide(name: str, value: Any) -> None:
    assert Config(**{name: value}).fingerprint != Config().fingerprint


@pytest.mark.parametrize(("name", "value"), SAME_ANSWER)
def test_fingerprint_passes_over_the_others(name: str, value: Any) -> None:
    assert Config(**{name: value}).fingerprint == Config().fingerprint


def test_fingerprint_of_equal_configurations_is_equal() -> None:
    assert Config(threshold=1) == Config(threshold=1.0)
    assert Config(threshold=1).fingerprint == Config(threshold=1.0).fingerprint


def test_as_dict_holds_every_setting_as_plain_values() -> None:
    settings = Config(threshold=0.6).as_dict()
    assert settings["threshold"] == 0.6
    assert list(settings) == [field.name for field in dataclasses.fields(Config)]
    assert Config(**settings) == samestory.Config(threshold=0.6)
