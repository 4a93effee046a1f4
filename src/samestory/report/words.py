"""What the page says in words: headline, figures, and what each chart shows."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from samestory.finished import FinishedRun
from samestory.report.copying import Copying
from samestory.report.figures import MONTHS, Headline
from samestory.report.listing import Listing
from samestory.report.plain import plain_line
from samestory.report.recorded import recorded
from samestory.report.texts import MOST_READ, Texts

_MOST_INPUTS: Final = 3
_LONGEST_NAME: Final = 60
_LONGEST_WARNING: Final = 400
_MOST_WARNINGS: Final = 3
_FEW: Final = 50
_ONES: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> count(1, "story", "stories"), count(1200, "article")
    ('1 story', '1,200 articles')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def share(ratio: float) -> str:
    """Return a share in hundredths; neither a little is nothing nor nearly all is all.

    Examples
    --------
    >>> share(0.276), share(0.0004), share(0.9996), share(1.0)
    ('28 %', 'under 1 %', 'over 99 %', '100 %')
    """
    if 0 < ratio < 0.005:
        return "under 1 %"
    if 0.995 <= ratio < 1:
        return "over 99 %"
    return f"{ratio * 100:.0f} %"


def part(number: int, of: int) -> str:
    """Return a part of a whole: a number of a few, a share of many.

    Examples
    --------
    >>> part(3, 8), part(300, 800)
    ('3', '38 %')
    """
    return f"{number:,}" if of <= _FEW else share(number / of)


def day(moment: datetime) -> str:
    """Return a day, as 3 Mar 2025."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def input_names(run: FinishedRun) -> str:
    """Name what was clustered: files without their folders, which are nobody else's business."""
    inputs = run.stats.get("inputs")
    names = [_file_name(str(name)) for name in inputs] if isinstance(inputs, list) else []
    if not names:
        return "articles"
    more = f" and {len(names) - _MOST_INPUTS:,} more" if len(names) > _MOST_INPUTS else ""
    return ", ".join(names[:_MOST_INPUTS]) + more


def _file_name(name: str) -> str:
    if name == "-":
        return "standard input"
    path = urlsplit(name).path if "://" in name else name
    return plain_line(PurePosixPath(path).name or name, _LONGEST_NAME)


def headline(head: Headline) -> str:
    """Return the page's first sentence."""
    if not head.articles:
        return "There are no articles"
    if not head.redundant:
        return "No article repeats another"
    if head.articles <= len(_ONES) * 2:
        return f"{head.redundant:,} of {count(head.articles, 'article')} {_repeats(head.redundant)} another"
    return f"{share(head.redundant_ratio)} of the articles repeat others"


def _repeats(number: int) -> str:
    return "repeats" if number == 1 else "repeat"


def lede(head: Headline) -> str:
    """Say in two sentences what there is."""
    of = f" from {count(head.sources, 'source')}" if head.sources else ""
    when = ""
    if head.first is not None and head.last is not None:
        first, last = day(head.first), day(head.last)
        when = f", published on {first}" if first == last else f", published from {first} to {last}"
    kept = head.articles - head.redundant
    if not head.redundant:
        stay = " All of them stay." if head.articles else ""
        return f"{count(head.articles, 'article')}{of}{when}.{stay}"
    return (
        f"{count(head.articles, 'article')}{of}{when}. With one of each cluster kept, "
        f"{kept:,} {'stays' if kept == 1 else 'stay'} and {head.redundant:,} "
        f"{'is' if head.redundant == 1 else 'are'} redundant."
    )


def stats(head: Headline) -> list[dict[str, str]]:
    """Return the headline figures."""
    sources = count(head.sources, "source") if head.sources else "no sources"
    shown = [
        ("Articles", f"{head.articles:,}", sources),
        ("Redundant", f"{head.redundant:,}", f"{share(head.redundant_ratio)} of the articles"),
        ("Clusters", f"{head.clusters:,}", f"the largest of {head.largest:,}" if head.clusters else "none"),
    ]
    if head.stories is not None:
        told = "told in more than one text" if head.stories else "none"
        shown.append(("Stories", f"{head.stories:,}", told))
    if head.furniture_ratio is not None:
        taken = f"of the words, in {count(head.furniture_articles, 'article')}, taken out"
        shown.append(("Page furniture", f"{head.furniture_ratio * 100:.1f} %", taken))
    if head.undated:
        undated = f"{share(head.undated / head.articles)} of the articles"
        shown.append(("Undated", f"{head.undated:,}", undated))
    return [{"name": name, "value": value, "remark": remark} for name, value, remark in shown]


def warnings(run: FinishedRun) -> list[str]:
    """Return the run's own warnings, a few of them."""
    found = run.stats.get("warnings")
    if not isinstance(found, list):
        return []
    return [plain_line(str(item), _LONGEST_WARNING) for item in found[:_MOST_WARNINGS]]


def copying_says(copying: Copying) -> str:
    """Say how many copies went from one source to another."""
    between = copying.n_copies - copying.n_within
    said = f"{count(between, 'copy', 'copies')} went from one source to another"
    said += f", {copying.n_within:,} stayed within one." if copying.n_within else "."
    return said


def copying_note(copying: Copying | None) -> str:
    """Say what the matrix is made from, and what it leaves out."""
    if copying is None:
        return "No copy has known sources on both sides."
    said = "Who published first is told by the articles' dates"
    said += (
        f"; {count(copying.n_undated, 'copy', 'copies')} of articles without one by the order of the input."
        if copying.n_undated
        else "."
    )
    if copying.n_unknown:
        said += f" {count(copying.n_unknown, 'copy', 'copies')} of unknown sources are left out."
    return said + " A number opens its clusters in the list below, as far as they are listed."


def list_says(listing: Listing) -> str:
    """Say how many of how many are listed."""
    listed = len(listing.clusters)
    if not listing.n_clusters and not listing.n_stories:
        return "There is nothing to list."
    said = f"All {count(listed, 'cluster')}" if listed > 1 else count(listed, "cluster")
    if listed < listing.n_clusters:
        weak = listed - listing.n_largest
        said = f"{listed:,} of {listing.n_clusters:,} clusters: the {listing.n_largest:,} largest"
        said += f" and {weak:,} of the others that have the weakest members" if weak else ""
    if listing.n_stories:
        told, of = len(listing.stories), listing.n_stories
        said += (
            f"; {count(told, 'story', 'stories')}"
            if told == of
            else f"; the {told:,} largest of {of:,} stories"
        )
    return f"{said}. Each opens to its articles, side by side with what they share."


def text_says(texts: Texts, listing: Listing, n_articles: int, *, wanted: bool) -> str:
    """Say why there are no texts, or not all; empty where all is well."""
    if not listing.clusters and not listing.stories:
        return ""
    if not wanted:
        return "The articles' texts are left out of this page on purpose."
    if texts.why_none:
        return f"There are no texts in this page: {plain_line(texts.why_none, _LONGEST_WARNING)}"
    if texts.n_changed:
        changed = count(texts.n_changed, "article")
        return f"{changed} changed since the run: what is marked may not be what was compared."
    if n_articles > MOST_READ:
        return f"Of so many articles, texts are shown of the first {MOST_READ:,} of the input only."
    return ""


def facts(run: FinishedRun, head: Headline, listing: Listing, texts: Texts) -> list[tuple[str, str]]:
    """Return what a reader may want to know of how the result was made."""
    found: list[tuple[str, Any]] = [
        ("Input", input_names(run)),
        ("Finished", _finished(run)),
        ("Threshold", run.config.threshold),
        ("Containment", run.config.containment),
        ("Shingle", run.config.shingle),
        ("Level", run.config.level),
        ("Representative", run.config.representative),
        ("Bands and rows", _banding(run)),
        ("Recall at the threshold", _ratio(recorded(run, "banding", "recall_at_threshold"))),
        ("Pairs verified", _whole(recorded(run, "counts", "pairs"))),
        ("Round-ups", _whole(recorded(run, "counts", "round_ups"))),
        ("Articles without a word", _whole(recorded(run, "counts", "empty"))),
        ("Rows set aside", _whole(recorded(run, "counts", "rejected"))),
        ("Comparisons in this page", f"{len(texts.comparisons):,}"),
        ("Articles in this page", f"{len(listing.articles):,} of {head.articles:,}"),
        ("Settings' fingerprint", plain_line(str(run.stats.get("fingerprint", "")), _LONGEST_NAME)),
    ]
    return [(name, f"{value:g}" if isinstance(value, float) else value) for name, value in found if value]


def _finished(run: FinishedRun) -> str:
    """When the run was finished; runs of earlier versions do not tell."""
    try:
        at = datetime.fromisoformat(run.stats["finished_at"]).astimezone(timezone.utc)
    except (KeyError, TypeError, ValueError, OverflowError):
        return ""
    return f"{day(at)}, {at:%H:%M} UTC"


def _banding(run: FinishedRun) -> str:
    bands, rows = (recorded(run, "banding", name) for name in ("bands", "rows_per_band"))
    return f"{bands:.0f} of {rows:.0f}" if bands and rows else ""


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _whole(value: float | None) -> str:
    return f"{value:,.0f}" if value else ""
