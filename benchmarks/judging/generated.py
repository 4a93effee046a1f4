"""The generated sets as tasks: what is planted in each, and the ways samestory is run on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from judging.generate import (
    Article,
    digests,
    embedded,
    excerpts,
    footers,
    misreadings,
    phrases,
    rewritings,
    write_set,
)
from judging.judges import planted_judge
from judging.tasks import Task, Way

CHARACTERS = ("--shingle", "char:9")


@dataclass(frozen=True)
class Recipe:
    """A generated set: its name, what makes it, and other options to run samestory with."""

    name: str
    make: Callable[[], Iterator[Article]]
    options: tuple[tuple[str, ...], ...] = ()


RECIPES = (
    Recipe("first third", excerpts),
    Recipe("embedded", embedded),
    *(Recipe(f"footer {share} %", partial(footers, share / 100)) for share in (10, 20, 30, 40)),
    *(
        Recipe(f"misread {rate} %", partial(misreadings, rate / 100), (CHARACTERS,))
        for rate in (1, 2, 3, 5, 8)
    ),
    Recipe("digests", digests),
    Recipe("rewritten 50 %", rewritings),
    Recipe("stock phrase", phrases),
)


def generated_task(recipe: Recipe, folder: Path) -> Task:
    """Write a set and return its task."""
    written = write_set(folder, recipe.name, recipe.make())
    ways = []
    for options in ((), *recipe.options):
        note = " ".join(options)
        ways.append(Way(note=note, options=options))
        without = f"{note}, no source column" if note else "no source column"
        ways.append(Way(note=without, options=options, file=written.without_source))
    aside = written.digest if written.digest.any() else None
    return Task(
        name=recipe.name, file=written.file, judge=planted_judge(written.truth, aside), ways=tuple(ways)
    )
