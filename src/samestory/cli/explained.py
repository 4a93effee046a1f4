"""What `samestory explain` prints: facts, scores and reasons as tables, and both texts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timezone
from itertools import islice, zip_longest
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from samestory import schema
from samestory.cli.extracts import LEFT_OUT, Piece, displayed, is_right_to_left, pieces_of, rows_of
from samestory.cli.wrapping import wrapped
from samestory.explain.explanation import SAME, Explanation, Standing
from samestory.passages import Reading, Side

LEAST_COLUMNS: Final = 100
"""On a terminal of fewer the articles stand one over the other."""

_VERDICTS: Final = {
    SAME: "one article",
    schema.EXACT: "the same text",
    schema.NEAR: "near copies",
    schema.PARTIAL: "partial copies",
    schema.LINKED: "linked by way of others",
    schema.STORY: "one story, told in other words",
    None: "not the same",
}
_STANDINGS: Final = {
    schema.UNIQUE: "the only one",
    schema.REPRESENTATIVE: "the one that is kept",
    schema.EXACT: "the same text as {}",
    schema.NEAR: "a near copy of {}",
    schema.PARTIAL: "a partial copy of {}",
    schema.LINKED: "in it by way of others than {}",
}
_COLOURS: Final = ("green", "cyan")
"""Of passages that follow one another."""
_GAP: Final = 3
_LINES_AT_ONCE: Final = 500
_MOST_TERMS: Final = 10
_LONGEST_VALUE: Final = 300


class View:
    """Prints explanations.

    Parameters
    ----------
    console : rich.console.Console
    full : bool
        Whether nothing of the texts is left out.
    verbose : bool
    stacked : bool, optional
        Whether the articles stand one over the other; by default where there is no room, and where
        a script runs from right to left, which would move what stands beside it.
    """

    def __init__(self, console: Console, *, full: bool, verbose: bool, stacked: bool | None) -> None:
        self._console = console
        self._full = full
        self._verbose = verbose
        self._stacked = stacked
        # Colours say which passage a word is in; without them brackets do.
        self._has_colours = console.color_system is not None and not console.no_color

    def print(self, explanation: Explanation) -> None:
        """Print everything."""
        stacked = self._stacked
        if stacked is None:
            sides = (explanation.comparison.a.reading, explanation.comparison.b.reading)
            words = [word for side in sides for word in (side.text, side.article.title, side.article.doc_id)]
            stacked = self._console.width < LEAST_COLUMNS or is_right_to_left(words)
        for part in self._parts(explanation, stacked):
            self._console.print(part)
            self._console.print()
        self._print_texts(explanation, stacked)

    def _parts(self, told: Explanation, stacked: bool) -> Iterator[RenderableType]:
        yield _verdict(told)
        sides = [(told.comparison.a, told.standing_a), (told.comparison.b, told.standing_b)]
        if told.relation == SAME:
            sides = sides[:1]
        facts = [_facts(side.reading, standing, told, self._verbose) for side, standing in sides]
        yield _stacked_facts(facts) if stacked or len(facts) == 1 else _facts_beside(facts)
        if told.relation != SAME:
            yield _scores(told)
        yield Group(*(Text(displayed(reason.text)) for reason in told.reasons))
        if len(told.chain) > 1:
            yield _chain(told)
        if told.story is not None:
            yield from _story(told, all_terms=self._verbose or self._full)
        if told.kind == "index":
            yield Text("An index keeps texts as they were folded: in lower case, words only.", style="dim")

    def _print_texts(self, told: Explanation, stacked: bool) -> None:
        sides = [told.comparison.a, told.comparison.b][: 1 if told.relation == SAME else 2]
        pieces = [pieces_of(side, full=self._full) for side in sides]
        headings = [_heading(name, side) for name, side in zip("AB", sides, strict=False)]
        if stacked or len(sides) == 1:
            for heading, side, own in zip(headings, sides, pieces, strict=True):
                self._print_beside([heading], self._console.width)
                self._print_beside([self._text(side, own)], self._console.width)
                self._console.print()
        else:
            columns = (self._console.width - _GAP) // 2
            self._print_beside(headings, columns)
            self._console.print()
            for row in rows_of(told.comparison, *pieces):
                cells = [self._text(side, own) for side, own in zip(sides, row, strict=True)]
                if any(cell.plain for cell in cells):
                    self._print_beside(cells, columns)
                    self._console.print()
        if (legend := self._legend(pieces)).plain:
            self._console.print(legend)

    def _print_beside(self, cells: list[Text], columns: int) -> None:
        """Print texts beside one another, some lines at a time: they may be long."""
        lines = zip_longest(*(self._lines(cell, columns) for cell in cells), fillvalue=Text())
        while some := list(islice(lines, _LINES_AT_ONCE)):
            shown = Text("\n").join(_beside(line, columns) for line in some)
            self._console.print(shown, no_wrap=True, overflow="ignore", crop=False)

    def _lines(self, text: Text, columns: int) -> Iterator[Text]:
        """Yield the lines of a text; those that are short enough, as most are, are not wrapped."""
        for line in wrapped(text, columns).split(allow_blank=True):
            if line.cell_len <= columns:
                yield line
            else:
                yield from line.wrap(self._console, columns, overflow="fold")

    def _text(self, side: Side, pieces: list[Piece]) -> Text:
        """Return pieces of a text as they are shown."""
        shown = Text(overflow="fold")
        for piece in pieces:
            if piece.kind == LEFT_OUT:
                shown.append(f" … {piece.note} … ", style="dim italic")
                continue
            words = displayed(side.reading.text[piece.begin : piece.end])
            if piece.kind == "plain":
                shown.append(words)
            elif self._has_colours:
                self._append_coloured(shown, words, piece)
            else:
                self._append_bracketed(shown, words, piece)
        return _trimmed(shown)

    def _append_coloured(self, shown: Text, words: str, piece: Piece) -> None:
        if piece.passage is None:
            shown.append(words, style="dim strike")
            return
        colour = _COLOURS[(piece.passage - 1) % len(_COLOURS)]
        if piece.is_begin:
            shown.append(f"{piece.passage}", style=f"reverse {colour}")
            shown.append(" ")
        shown.append(words, style=colour)

    def _append_bracketed(self, shown: Text, words: str, piece: Piece) -> None:
        """Append words in brackets, white space outside of them."""
        inner = words.strip()
        before, _, after = words.partition(inner) if inner else (words, "", "")
        marked = f"{{{inner}}}" if piece.passage is None else f"[{piece.passage}: {inner}]"
        shown.append(f"{before}{marked if inner else ''}{after}")

    def _legend(self, pieces: list[list[Piece]]) -> Text:
        """Say what the marks mean that occur."""
        kinds = {piece.kind for own in pieces for piece in own}
        said = Text(style="dim")
        if "shared" in kinds:
            words = "words that both have"
            marked = [("1", f"reverse {_COLOURS[0]}"), " ", (words, _COLOURS[0])]
            said.append_text(Text.assemble(*(marked if self._has_colours else [f"[1: {words}]"]), "   "))
        if kinds & {"furniture", "chrome"}:
            words = "page furniture, taken out"
            said.append_text(Text.assemble((words, "strike") if self._has_colours else f"{{{words}}}", "   "))
        if LEFT_OUT in kinds:
            said.append("… left out; --full shows all …")
        return said


def _verdict(told: Explanation) -> Text:
    colour = "yellow" if told.relation is None else "green"
    said = Text.assemble((_VERDICTS[told.relation], f"bold {colour}"))
    if told.in_one_cluster and told.relation != SAME:
        said.append(f"  in one cluster of {_articles(told.standing_a.cluster_size)}")
    return said


Facts = list[tuple[str, str]]


def _facts(reading: Reading, standing: Standing, told: Explanation, verbose: bool) -> Facts:
    """Return what is known of one article, by name."""
    article = reading.article
    date = article.published_at
    if date is not None and date.tzinfo is not None:
        date = date.astimezone(timezone.utc)
    facts = [
        ("id", article.doc_id),
        ("title", article.title or ""),
        ("source", article.source or ""),
        ("url", (article.url or "") if verbose else ""),
        ("published", f"{date:%Y-%m-%d %H:%M}" if date else ""),
        ("length", _length(reading)),
        ("cluster", _cluster(standing, article.doc_id)),
    ]
    if standing.story_id is not None and told.config.level == "story":
        size = standing.story_size or 1
        facts.append(("story", f"{standing.story_id}, {_articles(size)}" if size > 1 else "on its own"))
    return [(name, _shortened(displayed(value).replace("\n", " "))) for name, value in facts]


def _length(reading: Reading) -> str:
    unit = "character" if reading.config.shingle_unit == "char" else "word"
    said = f"{reading.n_units:,} {unit}{'' if reading.n_units == 1 else 's'}"
    if reading.n_removed:
        said += f"; {reading.n_removed:,} more ({reading.boilerplate_ratio:.1%}) are page furniture"
    if reading.judged_on == "title":
        said += "; of the title, for there is no text"
    return said


def _cluster(standing: Standing, doc_id: str) -> str:
    if standing.cluster_size == 1:
        return "on its own"
    to_kept = _STANDINGS[standing.relation].format(standing.representative_id)
    return f"{standing.cluster_id}, {_articles(standing.cluster_size)}; {to_kept}"


def _articles(n: int) -> str:
    return "1 article" if n == 1 else f"{n:,} articles"


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"


def _facts_beside(facts: list[Facts]) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), expand=True, show_edge=False, header_style="bold")
    table.add_column("", style="dim", no_wrap=True)
    for name in "AB":
        table.add_column(name, ratio=1, overflow="fold")
    for (name, a), (_, b) in zip(*facts, strict=True):
        if a or b:
            table.add_row(name, Text(a), Text(b))
    return table


def _stacked_facts(facts: list[Facts]) -> Group:
    tables = []
    for letter, own in zip("AB", facts, strict=False):
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), show_edge=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        marks = iter([letter if len(facts) > 1 else ""])
        for name, value in own:
            if value:
                table.add_row(next(marks, ""), name, Text(value))
        tables.append(table)
    return Group(*tables[:1], *(part for table in tables[1:] for part in ("", table)))


def _scores(told: Explanation) -> Table:
    compared, config = told.comparison, told.config
    n_a, n_b = compared.a.reading.n_shingles, compared.b.reading.n_shingles
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = [
        ("Jaccard similarity", compared.jaccard, config.threshold, "near copies"),
        ("share of A in B", compared.containment_a_in_b, config.containment, "partial copies"),
        ("share of B in A", compared.containment_b_in_a, config.containment, "partial copies"),
    ]
    for name, value, least, what in rows:
        reached = value >= least
        remark = f"{least:g} or more: {what}" if reached else f"under {least:g}: no {what}"
        table.add_row(name, f"{value:.3f}", Text(remark, style="green" if reached else "dim"))
    counts = f"of {n_a:,} in A and {n_b:,} in B, runs of {_run(config.shingle)}"
    table.add_row("shared shingles", f"{compared.shared_shingles:,}", Text(counts, style="dim"))
    meeting = f"in MinHash, {told.banding.bands} bands of {told.banding.rows_per_band} rows"
    if compared.relation == schema.PARTIAL:
        meeting += "; partial copies meet by what they share"
    table.add_row("chance to meet", _percent(told.chance), Text(meeting, style="dim"))
    return table


def _run(shingle: str) -> str:
    unit, _, size = shingle.partition(":")
    what = "character" if unit == "char" else "word"
    return f"{size} {what}{'' if size == '1' else 's'}"


def _percent(chance: float) -> str:
    """Write a chance so that hardly ever is not never, nor nearly always always."""
    if 0 < chance < 0.0001:
        return "< 0.01 %"
    if 0.9999 < chance < 1:
        return "> 99.99 %"
    return f"{chance:.2%}".replace("%", " %").replace(".00 ", " ")


def _chain(told: Explanation) -> RenderableType:
    table = Table(box=None, padding=(0, 3, 0, 0), show_edge=False, header_style="dim")
    has_scores = any(link.story_score is not None for link in told.chain)
    for name in ("way from A to B", ""):
        table.add_column(name, overflow="fold")
    for name in ("relation", "Jaccard", "share", *(("score",) if has_scores else ())):
        table.add_column(name, justify="left" if name == "relation" else "right", no_wrap=True)
    for link in told.chain:
        cells: list[Any] = [Text(_shortened(displayed(name))) for name in (link.doc_id_a, link.doc_id_b)]
        cells += [link.relation, f"{link.jaccard:.3f}", f"{link.containment:.3f}"]
        if has_scores:
            cells.append("" if link.story_score is None else f"{link.story_score:.2f}")
        table.add_row(*cells)
    return table


def _story(told: Explanation, *, all_terms: bool) -> Iterator[RenderableType]:
    story = told.story
    if story is None:
        return
    if story.held_together_by:
        words = displayed(", ".join(story.held_together_by))
        yield Text.assemble(("Their story is held together by ", "dim"), words)
    if not story.terms:
        if story.terms is None:
            yield Text("--terms weighs the terms that they share, in as long as the run took.", style="dim")
        return
    table = Table(box=None, padding=(0, 3, 0, 0), show_edge=False, header_style="dim")
    table.add_column(f"shared terms, of {len(story.terms):,}", overflow="fold")
    for name in ("in A", "in B", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    for term in story.terms[: None if all_terms else _MOST_TERMS]:
        weights = (f"{term.weight_a:.3f}", f"{term.weight_b:.3f}", f"{term.share:.0%}")
        table.add_row(Text(_shortened(displayed(term.term))), *weights)
    yield table


def _beside(line: tuple[Text, ...], columns: int) -> Text:
    """Return the parts of one line, the first ones filled up with spaces."""
    joined = Text()
    for part in line[:-1]:
        joined.append_text(part)
        joined.append(" " * (columns + _GAP - part.cell_len))
    return joined.append_text(line[-1])


def _heading(name: str, side: Side) -> Text:
    doc_id = _shortened(displayed(side.reading.article.doc_id).replace("\n", " "))
    return Text.assemble((name, "bold"), "  ", (doc_id, "bold"))


def _trimmed(text: Text) -> Text:
    """Return a text without white space at its ends."""
    plain = text.plain
    begin = len(plain) - len(plain.lstrip())
    return text[begin : max(begin, len(plain.rstrip()))]
