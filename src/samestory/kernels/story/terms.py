"""The terms of an article, counted over the corpus and weighed.

A term is a word of the title or of the beginning of the text, or two words
that follow one another there. It is named by 32 bits: of a word the low half of
XXH3, of two words a mixture of theirs. How many articles hold a term is counted
in a table of slots that the first bits of the name point to.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import inlined, kernel
from samestory.kernels.xxh3 import xxh3_64

TITLE_WORDS: Final = 100
"""Words of the title that are looked at."""
BODY_WORDS: Final = 400
"""Words of the text that are looked at: what an article reports stands first."""
BODY_PAIRS: Final = 200
"""And as the first of two words."""
LEAD_WORDS: Final = 60
"""Words of the text that are its lead."""
LEAD_COUNT: Final = 3
"""What a word of the lead counts."""
TITLE_COUNT: Final = 3
"""What a word of the title counts."""
NUMBER_COUNT: Final = 3
"""How many times a number counts what a word does: of deaths or of dollars, not of a day or a year."""
MOST_TERMS: Final = 2 * TITLE_WORDS + BODY_WORDS + BODY_PAIRS
SLOTS: Final = 2048
N_BUCKETS: Final = 256
STEM_LETTERS: Final = 6
STEM_BYTES: Final = 64
SPACE: Final = np.uint8(32)
LOW_32: Final = np.uint64(0xFFFFFFFF)
MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
NONE: Final = -1


@inlined
def pair_name(first, second):  # type: ignore[no-untyped-def]
    """Return the name of two words by theirs."""
    mixed = ((first << np.uint64(32)) | second) * MULTIPLIER
    mixed ^= mixed >> np.uint64(32)
    mixed *= MULTIPLIER
    return mixed >> np.uint64(32)


@inlined
def _is_telling_number(data, begin, end):  # type: ignore[no-untyped-def]
    """Whether a word is a number that is neither a day of a month nor a year of our time."""
    value = 0
    for at in range(begin, end):
        if data[at] < 48 or data[at] > 57 or value > 1 << 40:
            return False
        value = 10 * value + np.int64(data[at]) - 48
    return value > 31 and not (1900 <= value and value < 2100)


@inlined
def _is_vowel(byte):  # type: ignore[no-untyped-def]
    return byte == 97 or byte == 101 or byte == 105 or byte == 111 or byte == 117


@inlined
def word_name(data, begin, end, stem):  # type: ignore[no-untyped-def]
    """Return the name of a word: of its stem, for which there must be room.

    The stem is its first few letters, a letter that is written twice taken once, without an h at the
    end after a vowel, q as k and ou as u: inflections and transliterations of a name meet (Raqqa,
    Raqqah, Raka). A number is its own stem.
    """
    first = data[begin]
    if first >= 48 and first <= 57:
        return xxh3_64(data, begin, end - begin) & LOW_32
    n = 0
    n_letters = 0
    whole = True
    for at in range(begin, end):
        byte = data[at]
        if byte < 128:
            if byte == 113:  # q
                byte = np.uint8(107)  # k
            if (n > 0 and byte == stem[n - 1]) or (byte == 111 and at + 1 < end and data[at + 1] == 117):
                continue
            n_letters += 1
        elif byte >= 192:
            n_letters += 1
        if n_letters > STEM_LETTERS or n >= STEM_BYTES:
            whole = False
            break
        stem[n] = byte
        n += 1
    if whole and n > 3 and stem[n - 1] == 104 and _is_vowel(stem[n - 2]):
        n -= 1
    return xxh3_64(stem, 0, n) & LOW_32


@inlined
def _add(name, count, is_pair, usual, table, names, counts, pairs, usuals, n):  # type: ignore[no-untyped-def]
    """Count a term of one article; return how many different ones it has now."""
    place = np.int64(name >> np.uint64(7)) & (SLOTS - 1)
    while table[place] != NONE:
        entry = table[place]
        if names[entry] == name and pairs[entry] == is_pair:
            counts[entry] += count
            return n
        place = (place + 1) & (SLOTS - 1)
    table[place] = n
    names[n] = name
    counts[n] = count
    pairs[n] = is_pair
    usuals[n] = usual
    return n + 1


@inlined
def _collect(  # type: ignore[no-untyped-def]
    data, begin, end, is_title, background, word_bits, mass, stem, table, names, counts, pairs, usuals, n
):
    """Count the terms of a folded text; return how many different ones there are now, and its words."""
    most = TITLE_WORDS if is_title else BODY_WORDS
    n_words = 0
    last = np.uint64(0)
    last_usual = np.int64(0)
    at = begin
    while at < end and n_words < most:
        stop = at
        while stop < end and data[stop] != SPACE:
            stop += 1
        if stop > at:
            name = word_name(data, at, stop, stem)
            usual = np.int64(background[np.int64(name >> np.uint64(32 - word_bits))])
            count = TITLE_COUNT if is_title else (LEAD_COUNT if n_words < LEAD_WORDS else 1)
            if _is_telling_number(data, at, stop):
                count *= NUMBER_COUNT
            n = _add(name, count, False, usual, table, names, counts, pairs, usuals, n)
            if n_words > 0 and (is_title or n_words <= BODY_PAIRS):
                both = last_usual * usual // (2 * mass)
                pair_count = TITLE_COUNT if is_title else (LEAD_COUNT if n_words <= LEAD_WORDS else 1)
                pair = pair_name(last, name)
                n = _add(pair, pair_count, True, both, table, names, counts, pairs, usuals, n)
            last = name
            last_usual = usual
            n_words += 1
        at = stop + 1
    return n, n_words


@kernel
def name_words(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the names of words that stand one after another."""
    stem = np.zeros(STEM_BYTES + 64, dtype=np.uint8)
    names = np.empty(len(offsets) - 1, dtype=np.uint64)
    for i in range(len(names)):
        names[i] = word_name(data, offsets[i], offsets[i + 1], stem)
    return names


@kernel
def list_terms(
    titles: NDArray[np.uint8],
    title_offsets: NDArray[np.int64],
    texts: NDArray[np.uint8],
    text_offsets: NDArray[np.int64],
    places: NDArray[np.int64],
    background: NDArray[np.uint16],
    word_bits: int,
    pair_bits: int,
    mass: int,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the slots of the words, and of the pairs, of each article, one after another."""
    stem = np.zeros(STEM_BYTES + 64, dtype=np.uint8)
    table = np.full(SLOTS, NONE, dtype=np.int64)
    names = np.empty(MOST_TERMS, dtype=np.uint64)
    counts = np.empty(MOST_TERMS, dtype=np.int64)
    pairs = np.empty(MOST_TERMS, dtype=np.bool_)
    usuals = np.empty(MOST_TERMS, dtype=np.int64)
    word_slots = np.empty(len(places) * (TITLE_WORDS + BODY_WORDS), dtype=np.uint32)
    pair_slots = np.empty(len(places) * (TITLE_WORDS + BODY_PAIRS), dtype=np.uint32)
    n_word_slots = 0
    n_pair_slots = 0
    for i in range(len(places)):
        n, _ = _collect(
            titles, title_offsets[i], title_offsets[i + 1], True, background, word_bits, mass,
            stem, table, names, counts, pairs, usuals, 0,
        )  # fmt: skip
        k = places[i]
        n, _ = _collect(
            texts, text_offsets[k], text_offsets[k + 1], False, background, word_bits, mass,
            stem, table, names, counts, pairs, usuals, n,
        )  # fmt: skip
        for t in range(n):
            if pairs[t]:
                pair_slots[n_pair_slots] = np.uint32(names[t] >> np.uint64(32 - pair_bits))
                n_pair_slots += 1
            else:
                word_slots[n_word_slots] = np.uint32(names[t] >> np.uint64(32 - word_bits))
                n_word_slots += 1
        table[:] = NONE
    return word_slots[:n_word_slots], pair_slots[:n_pair_slots]


@kernel
def add_to_counts(
    word_slots: NDArray[np.uint32],
    pair_slots: NDArray[np.uint32],
    word_counts: NDArray[np.uint32],
    pair_counts: NDArray[np.uint16],
) -> None:
    """Count articles for each slot; those of pairs stop at the most that 16 bits hold."""
    for i in range(len(word_slots)):
        word_counts[word_slots[i]] += np.uint32(1)
    for i in range(len(pair_slots)):
        count = pair_counts[pair_slots[i]]
        if count < 65535:
            pair_counts[pair_slots[i]] = np.uint16(count + 1)


@inlined
def _telling_first(weights, names, order, n, most):  # type: ignore[no-untyped-def]
    """Bring the `most` heaviest terms to the front of `order`; of equal ones the lesser name first."""
    low = 0
    high = n - 1
    while low < high:
        middle = order[(low + high) // 2]
        weight = weights[middle]
        name = names[middle]
        i = low
        j = high
        while i <= j:
            while weights[order[i]] > weight or (weights[order[i]] == weight and names[order[i]] < name):
                i += 1
            while weights[order[j]] < weight or (weights[order[j]] == weight and names[order[j]] > name):
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if most - 1 <= j:
            high = j
        elif most - 1 >= i:
            low = i
        else:
            return


@inlined
def _heaviest_first(weights, names, order, n, most, buckets, scratch):  # type: ignore[no-untyped-def]
    """As `_telling_first`, which is left only the terms of about the weight of the last one kept."""
    if n <= most:
        return
    top = np.float32(0.0)
    for t in range(n):
        top = max(top, weights[order[t]])
    scale = np.float32((N_BUCKETS - 1) / top)
    buckets[:] = 0
    for t in range(n):
        buckets[np.int64(weights[order[t]] * scale)] += 1
    bar = N_BUCKETS - 1
    above = 0
    while above + buckets[bar] < most:
        above += buckets[bar]
        bar -= 1
    over = 0
    level = above
    under = above + buckets[bar]
    for t in range(n):
        scratch[t] = order[t]
    for t in range(n):
        bucket = np.int64(weights[scratch[t]] * scale)
        if bucket > bar:
            order[over] = scratch[t]
            over += 1
        elif bucket == bar:
            order[level] = scratch[t]
            level += 1
        else:
            order[under] = scratch[t]
            under += 1
    _telling_first(weights, names, order[above:level], level - above, most - above)


@kernel
def weigh_terms(
    titles: NDArray[np.uint8],
    title_offsets: NDArray[np.int64],
    texts: NDArray[np.uint8],
    text_offsets: NDArray[np.int64],
    places: NDArray[np.int64],
    background: NDArray[np.uint16],
    word_bits: int,
    pair_bits: int,
    mass: int,
    word_counts: NDArray[np.uint32],
    pair_counts: NDArray[np.uint16],
    rarity: NDArray[np.float32],
    pair_weight: float,
    saturation: float,
    length_share: float,
    usual_length: float,
    most_terms: int,
    most_telling: int,
    names_out: NDArray[np.uint32],
    weights_out: NDArray[np.float32],
    telling_out: NDArray[np.uint8],
    numbers_telling: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Write the heaviest terms of each article in the order of their names; return how many.

    Weights are those of BM25 with `rarity` in the place of its inverse document frequency, scaled
    to a vector of length one. `telling_out` lists the heaviest of them that other articles may hold,
    too, by their places; `numbers_telling`, how many there are.
    """
    stem = np.zeros(STEM_BYTES + 64, dtype=np.uint8)
    table = np.full(SLOTS, NONE, dtype=np.int64)
    names = np.empty(MOST_TERMS, dtype=np.uint64)
    counts = np.empty(MOST_TERMS, dtype=np.int64)
    pairs = np.empty(MOST_TERMS, dtype=np.bool_)
    usuals = np.empty(MOST_TERMS, dtype=np.int64)
    weights = np.empty(MOST_TERMS, dtype=np.float32)
    shared = np.empty(MOST_TERMS, dtype=np.bool_)
    buckets = np.empty(N_BUCKETS, dtype=np.int64)
    scratch = np.empty(MOST_TERMS, dtype=np.int64)
    order = np.empty(MOST_TERMS, dtype=np.int64)
    numbers = np.empty(len(places), dtype=np.int32)
    for i in range(len(places)):
        n, title_length = _collect(
            titles, title_offsets[i], title_offsets[i + 1], True, background, word_bits, mass,
            stem, table, names, counts, pairs, usuals, 0,
        )  # fmt: skip
        k = places[i]
        n, length = _collect(
            texts, text_offsets[k], text_offsets[k + 1], False, background, word_bits, mass,
            stem, table, names, counts, pairs, usuals, n,
        )  # fmt: skip
        table[:] = NONE
        length += TITLE_COUNT * title_length
        damping = saturation * (1.0 - length_share + length_share * length / usual_length)
        n_held = 0
        for t in range(n):  # on its own: the memory answers many of these at once
            if pairs[t]:
                usuals[t] += np.int64(pair_counts[np.int64(names[t] >> np.uint64(32 - pair_bits))])
            else:
                usuals[t] += np.int64(word_counts[np.int64(names[t] >> np.uint64(32 - word_bits))])
        for t in range(n):
            df = usuals[t]
            factor = pair_weight if pairs[t] else 1.0
            rare = rarity[min(df, len(rarity) - 1)]
            weights[t] = np.float32(factor * rare * counts[t] / (counts[t] + damping))
            shared[t] = df > 1
            if weights[t] > 0:
                order[n_held] = t
                n_held += 1
        if n_held > most_terms:
            _heaviest_first(weights, names, order, n_held, most_terms, buckets, scratch)
            n_held = most_terms
        n_shared = 0
        for t in range(n_held):
            if shared[order[t]]:
                order[n_shared], order[t] = order[t], order[n_shared]
                n_shared += 1
        n_telling = min(most_telling, n_shared)
        _heaviest_first(weights, names, order, n_shared, n_telling, buckets, scratch)
        _write_terms(weights, names, order, n_held, n_telling, names_out[i], weights_out[i], telling_out[i])
        numbers_telling[i] = n_telling
        numbers[i] = n_held
    return numbers


@inlined
def _write_terms(weights, names, order, n, n_telling, names_out, weights_out, telling_out):  # type: ignore[no-untyped-def]
    """Write one article's terms in the order of their names, scaled, and the places of the first few."""
    packed = np.empty(n, dtype=np.uint64)
    for t in range(n):
        packed[t] = (names[order[t]] << np.uint64(32)) | np.uint64(t)
    packed.sort()
    square = 0.0
    for t in range(n):
        place = np.int64(packed[t] & LOW_32)
        weight = weights[order[place]]
        names_out[t] = np.uint32(packed[t] >> np.uint64(32))
        weights_out[t] = weight
        square += np.float64(weight) * np.float64(weight)
        if place < n_telling:
            telling_out[place] = np.uint8(t)
    if square > 0.0:
        scale = 1.0 / np.sqrt(square)
        for t in range(n):
            weights_out[t] = np.float32(weights_out[t] * scale)


@kernel
def find_terms(
    data: NDArray[np.uint8],
    begin: int,
    end: int,
    most: int,
    wanted: NDArray[np.uint64],
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    """Note where in a folded text each wanted term (names in order) stands first, unless noted already."""
    stem = np.zeros(STEM_BYTES + 64, dtype=np.uint8)
    last = np.uint64(0)
    last_at = np.int64(0)
    n_words = 0
    at = np.int64(begin)
    while at < end and n_words < most:
        stop = at
        while stop < end and data[stop] != SPACE:
            stop += 1
        if stop > at:
            name = word_name(data, at, stop, stem)
            place = np.searchsorted(wanted, name)
            if place < len(wanted) and wanted[place] == name and begins[place] < 0:
                begins[place] = at
                ends[place] = stop
            if n_words > 0:
                pair = pair_name(last, name)
                place = np.searchsorted(wanted, pair)
                if place < len(wanted) and wanted[place] == pair and begins[place] < 0:
                    begins[place] = last_at
                    ends[place] = stop
            last = name
            last_at = at
            n_words += 1
        at = stop + 1
