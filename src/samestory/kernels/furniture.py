"""Page furniture: what a site repeats on pages that otherwise differ.

Articles are named by their `rank` in the postings, in which those of one site
stand together, or by their number in the corpus (``doc``).
"""

# mypy: disable-error-code="no-untyped-call,no-any-return"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import inlined, kernel
from samestory.kernels.runs import PARTITION_BITS, run_keys
from samestory.kernels.sketch import table_size

N_BINS: Final = 8
"""How often a fingerprint occurs within its site, by powers of two."""
FEW: Final = 3
"""Up to this many pages are compared exactly before what they share counts as furniture."""
MOST_EXPANDED: Final = 8
"""Pages of a site that are read to learn the words around a fingerprint."""
ZONE: Final = 64
"""Runs before and after a fingerprint in which its block may lie."""
N_PARTS: Final = 10
STRONG: Final = 1
WEAK: Final = 2
_SALT: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = np.uint64(0xFF51AFD7ED558CCD)


@inlined
def salted(key, site_key):  # type: ignore[no-untyped-def]
    """Return the key of a run on the pages of one site; never 0."""
    mixed = (key ^ (site_key * _SALT)) * _MIX
    return (mixed ^ (mixed >> np.uint64(32))) | np.uint64(1)


@inlined
def find_entry(keys, key):  # type: ignore[no-untyped-def]
    """Return the place of a key in an open hash table of a power of two of entries, or -1."""
    mask = len(keys) - 1
    place = np.int64(key >> np.uint64(20)) & mask
    while keys[place] != np.uint64(0):
        if keys[place] == key:
            return place
        place = (place + 1) & mask
    return np.int64(-1)


@kernel
def make_table(keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Put distinct keys other than 0 into an open hash table.

    Returns
    -------
    table : uint64 array
    places : int64 array
        Where each key went.
    """
    table = np.zeros(table_size(max(1, len(keys))), dtype=np.uint64)
    places = np.empty(len(keys), dtype=np.int64)
    mask = len(table) - 1
    for k in range(len(keys)):
        place = np.int64(keys[k] >> np.uint64(20)) & mask
        while table[place] != np.uint64(0):
            place = (place + 1) & mask
        table[place] = keys[k]
        places[k] = place
    return table, places


@inlined
def _bin_of(count):  # type: ignore[no-untyped-def]
    b = 0
    while count > 1 and b < N_BINS - 1:
        count >>= 1
        b += 1
    return b


@inlined
def _group_end(postings, begin, mask):  # type: ignore[no-untyped-def]
    end = begin + 1
    while end < len(postings) and (postings[end] ^ postings[begin]) & ~mask == np.uint64(0):
        end += 1
    return end


@inlined
def _site_end(postings, begin, end, mask, site_of_rank):  # type: ignore[no-untyped-def]
    site = site_of_rank[np.int64(postings[begin] & mask)]
    k = begin + 1
    while k < end and site_of_rank[np.int64(postings[k] & mask)] == site:
        k += 1
    return k


@inlined
def _count_distinct(postings, begin, end):  # type: ignore[no-untyped-def]
    n = 1
    for k in range(begin + 1, end):
        n += 1 if postings[k] != postings[k - 1] else 0
    return n


@inlined
def _list_distinct(postings, begin, end, mask, pages):  # type: ignore[no-untyped-def]
    """List the pages of a fingerprint, however often each has it."""
    pages[0] = postings[begin] & mask
    n = 1
    for k in range(begin + 1, end):
        if postings[k] != postings[k - 1]:
            pages[n] = postings[k] & mask
            n += 1


@kernel
def survey(
    postings: NDArray[np.uint64],
    rank_bits: int,
    site_of_rank: NDArray[np.int32],
    histogram: NDArray[np.uint16],
) -> None:
    """Count how many fingerprints of each article occur how often within its site.

    Parameters
    ----------
    histogram : uint16 array of shape (n, N_BINS)
        By rank, changed in place.
    """
    mask = (np.uint64(1) << np.uint64(rank_bits)) - np.uint64(1)
    begin = 0
    while begin < len(postings):
        end = _group_end(postings, begin, mask)
        while begin < end:
            stop = _site_end(postings, begin, end, mask, site_of_rank)
            b = _bin_of(_count_distinct(postings, begin, stop))
            for k in range(begin, stop):
                if k == begin or postings[k] != postings[k - 1]:
                    rank = np.int64(postings[k] & mask)
                    if histogram[rank, b] < np.uint16(65535):
                        histogram[rank, b] += np.uint16(1)
            begin = stop


@inlined
def _is_made_of(histogram, rank, b, share):  # type: ignore[no-untyped-def]
    """Whether most of an article occurs at least as often as bin `b` says."""
    total = 0
    often = 0
    for k in range(N_BINS):
        total += np.int64(histogram[rank, k])
        if k >= b:
            often += np.int64(histogram[rank, k])
    return np.float64(often) > share * np.float64(total)


@kernel
def judge(
    postings: NDArray[np.uint64],
    partition: int,
    rank_bits: int,
    site_of_rank: NDArray[np.int32],
    site_keys: NDArray[np.uint64],
    least_pages: NDArray[np.int64],
    text_keys: NDArray[np.uint64],
    histogram: NDArray[np.uint16],
    share: float,
    expanded: NDArray[np.bool_],
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Find the fingerprints that many pages of one site have which otherwise differ.

    Parameters
    ----------
    postings : uint64 array
        One partition.
    site_of_rank, text_keys, histogram : arrays
        By rank.
    least_pages : int64 array
        Of each site, the pages that must have a block and otherwise differ.
    share : float
        An article of which more than this occurs as often as the fingerprint is made of the same
        block: it is no page with furniture.
    expanded : bool array
        By rank, turned true for the pages from which to learn the words.

    Returns
    -------
    found : uint64 array
        Keys of fingerprints, salted with their site.
    few : uint64 array
        Pairs of ranks of the pages of a known site that share a fingerprint which no more than
        `FEW` have; the lesser in the high half.
    """
    mask = (np.uint64(1) << np.uint64(rank_bits)) - np.uint64(1)
    found = np.empty(256, dtype=np.uint64)
    n_found = 0
    few = np.empty(1024, dtype=np.uint64)
    n_few = 0
    chosen = np.empty(MOST_EXPANDED, dtype=np.int64)
    pages = np.empty(FEW, dtype=np.uint64)
    begin = 0
    while begin < len(postings):
        end = _group_end(postings, begin, mask)
        while begin < end:
            first = begin
            stop = _site_end(postings, begin, end, mask, site_of_rank)
            begin = stop
            if stop - first < 2:
                continue
            n_pages = _count_distinct(postings, first, stop)
            if n_pages < 2:
                continue
            site = site_of_rank[np.int64(postings[first] & mask)]
            if n_pages < least_pages[site]:
                continue
            if n_pages <= FEW:
                _list_distinct(postings, first, stop, mask, pages)
                for i in range(n_pages):
                    for j in range(i + 1, n_pages):
                        if n_few == len(few):
                            larger = np.empty(2 * n_few, dtype=np.uint64)
                            for k in range(n_few):
                                larger[k] = few[k]
                            few = larger
                        few[n_few] = (pages[i] << np.uint64(32)) | pages[j]
                        n_few += 1
                continue
            b = max(1, _bin_of(n_pages) - 1)
            n_differing = 0
            n_made = 0
            n_chosen = 0
            for k in range(first, stop):
                if k > first and postings[k] == postings[k - 1]:
                    continue
                rank = np.int64(postings[k] & mask)
                if _is_made_of(histogram, rank, b, share):
                    n_made += 1
                    continue
                n_differing += 1
                at = n_chosen
                if n_chosen < MOST_EXPANDED:
                    n_chosen += 1
                elif text_keys[rank] >= text_keys[chosen[MOST_EXPANDED - 1]]:
                    continue
                else:
                    at = MOST_EXPANDED - 1
                while at > 0 and text_keys[chosen[at - 1]] > text_keys[rank]:
                    chosen[at] = chosen[at - 1]
                    at -= 1
                chosen[at] = rank
            if n_differing < max(least_pages[site], FEW + 1) or 4 * n_made > n_differing:
                continue
            for c in range(n_chosen):
                expanded[chosen[c]] = True
            if n_found == len(found):
                larger = np.empty(2 * n_found, dtype=np.uint64)
                for k in range(n_found):
                    larger[k] = found[k]
                found = larger
            found[n_found] = entry_key(postings[first], partition, mask, site_keys[site])
            n_found += 1
    return found[:n_found].copy(), few[:n_few].copy()


@inlined
def entry_key(posting, partition, mask, site_key):  # type: ignore[no-untyped-def]
    """Return the salted key of a fingerprint as the postings have it."""
    key = ((posting & ~mask) >> np.uint64(PARTITION_BITS)) | (
        np.uint64(partition) << np.uint64(64 - PARTITION_BITS)
    )
    return salted(key, site_key)


@kernel
def compare_pages(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    by_character: bool,
    size: int,
    shares: NDArray[np.float64],
    spreads: NDArray[np.int64],
    longest_shared: NDArray[np.int64],
) -> None:
    """Compare pairs of pages by their runs.

    Parameters
    ----------
    first, second : int64 arrays
        Places of the pages in `offsets`.
    shares : float64 array
        Filled with the share of the shorter page's runs that the other has,
    spreads : int64 array
        with how many of its `N_PARTS` equal parts have such a run,
    longest_shared : int64 array
        and with the units of the longest stretch that they cover.
    """
    longest = 0
    for page in range(len(offsets) - 1):
        longest = max(longest, offsets[page + 1] - offsets[page])
    ends = np.empty(longest + 1, dtype=np.int64)
    units = np.empty(longest + 1, dtype=np.uint64)
    keys = np.empty(longest + 1, dtype=np.uint64)
    table = np.empty(table_size(longest + 1), dtype=np.uint64)
    parts = np.empty(N_PARTS, dtype=np.bool_)
    for p in range(len(first)):
        a = first[p]
        b = second[p]
        if offsets[a + 1] - offsets[a] > offsets[b + 1] - offsets[b]:
            a, b = b, a
        n, _ = run_keys(text, offsets[b], offsets[b + 1], by_character, size, ends, units, keys)
        entries = table_size(n)
        table[:entries] = np.uint64(0)
        for i in range(n):
            key = keys[i] | np.uint64(1)
            place = np.int64(key >> np.uint64(20)) & (entries - 1)
            while table[place] != np.uint64(0) and table[place] != key:
                place = (place + 1) & (entries - 1)
            table[place] = key
        n, _ = run_keys(text, offsets[a], offsets[a + 1], by_character, size, ends, units, keys)
        parts[:] = False
        n_shared = 0
        stretch = 0
        best = 0
        last = -size
        for i in range(n):
            if find_entry(table[:entries], keys[i] | np.uint64(1)) < 0:
                continue
            n_shared += 1
            parts[i * N_PARTS // n] = True
            stretch = stretch + i - last if i - last <= size else size
            last = i
            best = max(best, stretch)
        shares[p] = np.float64(n_shared) / np.float64(max(n, 1))
        spreads[p] = 0
        for k in range(N_PARTS):
            spreads[p] += 1 if parts[k] else 0
        longest_shared[p] = best


@kernel
def judge_few(
    postings: NDArray[np.uint64],
    partition: int,
    rank_bits: int,
    site_of_rank: NDArray[np.int32],
    site_keys: NDArray[np.uint64],
    least_pages: NDArray[np.int64],
    differing: NDArray[np.uint64],
    expanded: NDArray[np.bool_],
) -> NDArray[np.uint64]:
    """Find the fingerprints of no more than `FEW` pages of a site, every two of which differ.

    Parameters
    ----------
    differing : uint64 array
        Table (see `make_table`) of the pairs of ranks that do, the lesser in the high half.
    expanded : bool array
        By rank, turned true for these pages.
    """
    mask = (np.uint64(1) << np.uint64(rank_bits)) - np.uint64(1)
    found = np.empty(256, dtype=np.uint64)
    n_found = 0
    pages = np.empty(FEW, dtype=np.uint64)
    begin = 0
    while begin < len(postings):
        end = _group_end(postings, begin, mask)
        while begin < end:
            first = begin
            stop = _site_end(postings, begin, end, mask, site_of_rank)
            begin = stop
            site = site_of_rank[np.int64(postings[first] & mask)]
            if stop - first < 2:
                continue
            n_pages = _count_distinct(postings, first, stop)
            if n_pages < least_pages[site] or n_pages < 2 or n_pages > FEW:
                continue
            all_differ = True
            _list_distinct(postings, first, stop, mask, pages)
            for i in range(n_pages):
                for j in range(i + 1, n_pages):
                    all_differ &= find_entry(differing, (pages[i] << np.uint64(32)) | pages[j]) >= 0
            if not all_differ:
                continue
            for k in range(first, stop):
                expanded[np.int64(postings[k] & mask)] = True
            if n_found == len(found):
                larger = np.empty(2 * n_found, dtype=np.uint64)
                for k in range(n_found):
                    larger[k] = found[k]
                found = larger
            found[n_found] = entry_key(postings[first], partition, mask, site_keys[site])
            n_found += 1
    return found[:n_found].copy()


@kernel
def drop_entries(
    postings: NDArray[np.uint64],
    partition: int,
    rank_bits: int,
    site_of_rank: NDArray[np.int32],
    site_keys: NDArray[np.uint64],
    table: NDArray[np.uint64],
    has_any: NDArray[np.bool_],
) -> NDArray[np.uint64]:
    """Return the postings without the fingerprints of furniture; mark the articles that have any."""
    mask = (np.uint64(1) << np.uint64(rank_bits)) - np.uint64(1)
    n_kept = 0
    for k in range(len(postings)):
        rank = np.int64(postings[k] & mask)
        key = entry_key(postings[k], partition, mask, site_keys[site_of_rank[rank]])
        if find_entry(table, key) >= 0:
            has_any[rank] = True
        else:
            postings[n_kept] = postings[k]
            n_kept += 1
    return postings[:n_kept]


@inlined
def _fingerprint_of(key, shift, rank_bits, site_key):  # type: ignore[no-untyped-def]
    """Return the salted key of a run as `entry_key` makes it from the postings."""
    mask = (np.uint64(1) << np.uint64(rank_bits)) - np.uint64(1)
    local = (np.uint64(1) << np.uint64(20)) - np.uint64(1)
    whole = (key << np.uint64(shift)) & ~local
    rest = (whole << np.uint64(PARTITION_BITS)) & ~mask
    high = (whole >> np.uint64(64 - PARTITION_BITS)) << np.uint64(64 - PARTITION_BITS)
    return salted((rest >> np.uint64(PARTITION_BITS)) | high, site_key)


@kernel
def expand(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    selected: NDArray[np.int64],
    salts: NDArray[np.uint64],
    by_character: bool,
    size: int,
    shift: int,
    rank_bits: int,
    strong: NDArray[np.uint64],
    weak: NDArray[np.uint64],
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the runs around the furniture fingerprints of some pages, each once a page.

    Parameters
    ----------
    selected : int64 array
        Places of the pages in `offsets`.
    salts : uint64 array
        Key of each one's site.
    strong, weak : uint64 arrays
        Tables of the fingerprints that many, or only a few pages have.

    Returns
    -------
    strong_runs, weak_runs : uint64 arrays
        Salted keys of the runs about the ones and about the others.
    """
    longest = 0
    total = 0
    for doc in selected:
        longest = max(longest, offsets[doc + 1] - offsets[doc])
        total += offsets[doc + 1] - offsets[doc]
    ends = np.empty(longest + 1, dtype=np.int64)
    units = np.empty(longest + 1, dtype=np.uint64)
    keys = np.empty(longest + 1, dtype=np.uint64)
    about = np.empty(longest + 1, dtype=np.int8)
    seen = np.empty(table_size(longest + 1), dtype=np.uint64)
    out = np.empty((2, total if by_character else total // 2 + len(selected)), dtype=np.uint64)
    n_out = np.zeros(2, dtype=np.int64)
    limit = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(shift)
    for s in range(len(selected)):
        doc = selected[s]
        salt = salts[s]
        n_runs, _ = run_keys(text, offsets[doc], offsets[doc + 1], by_character, size, ends, units, keys)
        about[:n_runs] = 0
        for i in range(n_runs):
            if keys[i] > limit:
                continue
            fingerprint = _fingerprint_of(keys[i], shift, rank_bits, salt)
            kind = 0
            if find_entry(strong, fingerprint) >= 0:
                kind = STRONG
            elif find_entry(weak, fingerprint) >= 0:
                kind = WEAK
            if kind > 0:
                for k in range(max(0, i - ZONE), min(n_runs, i + ZONE + 1)):
                    about[k] |= np.int8(kind)
        mask = table_size(n_runs) - 1
        seen[: mask + 1] = np.uint64(0)
        for i in range(n_runs):
            if about[i] == 0:
                continue
            key = salted(keys[i], salt)
            place = np.int64(key >> np.uint64(20)) & mask
            while seen[place] != np.uint64(0) and seen[place] != key:
                place = (place + 1) & mask
            if seen[place] == key:
                continue
            seen[place] = key
            for kind in range(STRONG, WEAK + 1):
                if about[i] & kind:
                    out[kind - 1, n_out[kind - 1]] = key
                    n_out[kind - 1] += 1
    return out[0, : n_out[0]].copy(), out[1, : n_out[1]].copy()


@kernel
def find_cuts(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    selected: NDArray[np.int64],
    salts: NDArray[np.uint64],
    by_character: bool,
    size: int,
    table: NDArray[np.uint64],
    kinds: NDArray[np.int8],
    blocks: NDArray[np.int32],
    least_units: int,
    least_units_weak: int,
    least_bytes: int,
    least_bytes_weak: int,
    least_left: int,
    n_pages: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Find the stretches of some articles that are covered by runs of their site's furniture.

    Parameters
    ----------
    table, kinds, blocks : arrays
        Salted keys of the runs; by place in the table, how well founded each is, and its block.
    least_units, least_bytes : int
        Words (or characters) and bytes of a stretch; the `weak` ones hold where no run in it is strong.
    least_left : int
        An article of which fewer words would be left keeps them all.
    n_pages : int64 array
        Of each block, in how many articles it was found; added to.

    Returns
    -------
    cuts : int64 array of shape (c, 2)
        First byte and the byte after each stretch, from the beginning of the article, with the
        space that parts it from its neighbours.
    cut_offsets : int64 array of shape (len(selected) + 1,)
        Where the cuts of each article begin.
    n_removed : int32 array of shape (len(selected),)
        Words (or characters) in them.
    """
    longest = 0
    for doc in selected:
        longest = max(longest, offsets[doc + 1] - offsets[doc])
    ends = np.empty(longest + 1, dtype=np.int64)
    units = np.empty(longest + 1, dtype=np.uint64)
    keys = np.empty(longest + 1, dtype=np.uint64)
    cuts = np.empty((64, 2), dtype=np.int64)
    n_cuts = 0
    cut_offsets = np.zeros(len(selected) + 1, dtype=np.int64)
    n_removed = np.zeros(len(selected), dtype=np.int32)
    last_page = np.full(len(n_pages), -1, dtype=np.int64)
    gap = 0 if by_character else 1
    for s in range(len(selected)):
        doc = selected[s]
        start = offsets[doc]
        n_runs, n_units = run_keys(text, start, offsets[doc + 1], by_character, size, ends, units, keys)
        run = min(size, n_units)
        before = n_cuts
        removed = 0
        i = 0
        while i < n_runs:
            entry = find_entry(table, salted(keys[i], salts[s]))
            if entry < 0:
                i += 1
                continue
            first = i
            last = i + run  # the unit after the stretch
            is_strong = False
            block = blocks[entry]
            while i < n_runs and i <= last:
                entry = find_entry(table, salted(keys[i], salts[s]))
                if entry >= 0:
                    last = i + run
                    is_strong |= kinds[entry] == STRONG
                i += 1
            begin = start if first == 0 else ends[first - 1] + gap
            n_bytes = ends[last - 1] - begin - (last - first - 1) * gap
            if last - first < (least_units if is_strong else least_units_weak):
                continue
            if n_bytes < (least_bytes if is_strong else least_bytes_weak):
                continue
            if n_cuts == len(cuts):
                larger = np.empty((2 * n_cuts, 2), dtype=np.int64)
                for k in range(n_cuts):
                    larger[k, 0] = cuts[k, 0]
                    larger[k, 1] = cuts[k, 1]
                cuts = larger
            cuts[n_cuts, 0] = begin - start
            cuts[n_cuts, 1] = ends[last - 1] - start
            n_cuts += 1
            removed += last - first
            if last_page[block] != s:
                last_page[block] = s
                n_pages[block] += 1
        if n_units - removed < least_left:
            n_cuts = before
            removed = 0
        cut_offsets[s + 1] = n_cuts
        n_removed[s] = removed
    return cuts[:n_cuts].copy(), cut_offsets, n_removed


@kernel
def cut_texts(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    articles: NDArray[np.int64],
    cuts: NDArray[np.int64],
    cut_offsets: NDArray[np.int64],
    gap: int,
    out: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """Copy texts without what is cut from them.

    Parameters
    ----------
    articles : int64 array
        In ascending order, the texts that have cuts; `cut_offsets` says which.
    gap : int
        1 if a space stands between words, which must be there once where something was cut.
    out : uint8 array
        Filled; needs the room of all texts, and 64 bytes that may be read after them.

    Returns
    -------
    int64 array
        Where each text begins in `out`.
    """
    n = len(offsets) - 1
    out_offsets = np.zeros(n + 1, dtype=np.int64)
    at = 0
    next_article = 0
    for doc in range(n):
        begin = offsets[doc]
        end = offsets[doc + 1]
        first = at
        if next_article < len(articles) and articles[next_article] == doc:
            i = begin
            for c in range(cut_offsets[next_article], cut_offsets[next_article + 1]):
                stop = begin + cuts[c, 0]
                for k in range(stop - i):
                    out[at + k] = text[i + k]
                at += max(0, stop - i)
                i = begin + cuts[c, 1] + gap  # and the space after it
            for k in range(end - i):
                out[at + k] = text[i + k]
            at += max(0, end - i)
            if gap == 1 and i > end and at > first:
                at -= 1  # the last words were cut, and the space before them goes too
            next_article += 1
        else:
            for k in range(end - begin):
                out[at + k] = text[begin + k]
            at += end - begin
        out_offsets[doc + 1] = at
    return out_offsets


@kernel
def hash_blocks(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    salts: NDArray[np.uint64],
    by_character: bool,
    size: int,
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the salted keys of the runs of each block, one list after another, and their offsets."""
    longest = 0
    for b in range(len(offsets) - 1):
        longest = max(longest, offsets[b + 1] - offsets[b])
    ends = np.empty(longest + 1, dtype=np.int64)
    units = np.empty(longest + 1, dtype=np.uint64)
    keys = np.empty(longest + 1, dtype=np.uint64)
    out = np.empty(offsets[len(offsets) - 1] + 1, dtype=np.uint64)
    out_offsets = np.zeros(len(offsets), dtype=np.int64)
    at = 0
    for b in range(len(offsets) - 1):
        n_runs, _ = run_keys(text, offsets[b], offsets[b + 1], by_character, size, ends, units, keys)
        for i in range(n_runs):
            out[at] = salted(keys[i], salts[b])
            at += 1
        out_offsets[b + 1] = at
    return out[:at].copy(), out_offsets


@kernel
def table_blocks(
    keys: NDArray[np.uint64], offsets: NDArray[np.int64], kinds: NDArray[np.int8]
) -> tuple[NDArray[np.uint64], NDArray[np.int8], NDArray[np.int32], NDArray[np.bool_]]:
    """Put the runs of all blocks into one table; a block that adds none to those before it is not needed.

    Returns
    -------
    table, table_kinds, table_blocks : arrays
        Keys; by place, the kind and the number of the first block that has the run.
    needed : bool array
        Of each block.
    """
    table = np.zeros(table_size(max(1, len(keys))), dtype=np.uint64)
    table_kinds = np.zeros(len(table), dtype=np.int8)
    owners = np.zeros(len(table), dtype=np.int32)
    needed = np.zeros(len(offsets) - 1, dtype=np.bool_)
    mask = len(table) - 1
    for b in range(len(offsets) - 1):
        for k in range(offsets[b], offsets[b + 1]):
            place = np.int64(keys[k] >> np.uint64(20)) & mask
            while table[place] != np.uint64(0) and table[place] != keys[k]:
                place = (place + 1) & mask
            if table[place] == np.uint64(0):
                table[place] = keys[k]
                table_kinds[place] = kinds[b]
                owners[place] = b
                needed[b] = True
            elif kinds[b] < table_kinds[place]:
                table_kinds[place] = kinds[b]
    return table, table_kinds, owners, needed


@kernel
def kinds_of_blocks(
    keys: NDArray[np.uint64], offsets: NDArray[np.int64], table: NDArray[np.uint64], kinds: NDArray[np.int8]
) -> NDArray[np.int8]:
    """Return `STRONG` for each block that has a run which is, `WEAK` for the others."""
    out = np.empty(len(offsets) - 1, dtype=np.int8)
    for b in range(len(out)):
        out[b] = WEAK
        for k in range(offsets[b], offsets[b + 1]):
            entry = find_entry(table, keys[k])
            if entry >= 0 and kinds[entry] == STRONG:
                out[b] = STRONG
    return out
