"""Ids that occur twice are found whatever their keys say, and named."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samestory
from samestory.identity import check_unique
from tabled import article, to_table

TEXT = "The harbour office said on Monday that the ferry will sail again next week after repairs."


class Rows:
    """A source that names its rows by number."""

    def locate(self, row: int) -> str:
        return f"row {row}"


def said(ids: Any) -> str | None:
    try:
        check_unique(ids, Rows())  # type: ignore[arg-type]
    except samestory.InputError as error:
        return str(error)
    return None


# Ids that differ in case alone have the same key.
names = st.lists(st.sampled_from(["a", "A", "b", "B", "é", "É", "aB", "Ab", "", "c" * 40]), max_size=12)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@given(names, st.integers(1, 12))
def test_repeated_ids_are_named_with_their_rows(kind: pa.DataType, found: list[str], n: int) -> None:
    chunks = [pa.array(found[begin : begin + n], kind) for begin in range(0, len(found), n)]
    repeated = [name for name, count in Counter(found).items() if count > 1]
    for ids in (pa.chunked_array(chunks, kind), pa.array(found, kind)):
        message = said(ids)
        assert (message is None) == (not repeated)
        for name in repeated[:3]:
            rows = [f"row {k}" for k in range(len(found)) if found[k] == name]
            more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
            assert f"{name!r} at {', '.join(rows[:3])}{more}" in (message or "")
        if len(repeated) > 3:
            assert f"and {len(repeated) - 3} more ids" in (message or "")


def test_many_ids_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samestory.identity._AT_ONCE", 100)
    ids = [f"article-{k}" for k in np.random.default_rng(4).permutation(5000)]
    assert said(pa.chunked_array([ids[:777], ids[777:]])) is None
    message = said(pa.chunked_array([ids[:777], ids[777:], [ids[99], ids[4000]]]))
    assert message is not None
    assert f"{ids[99]!r} at row 99, row 5000; {ids[4000]!r} at row 4000, row 5001" in message


def test_ids_repeated_in_another_batch_of_a_run() -> None:
    whole = to_table([article(doc_id, TEXT) for doc_id in ("a", "b", "A", "c")])
    more = to_table([article(doc_id, TEXT) for doc_id in ("d", "b")])
    reader = pa.RecordBatchReader.from_batches(whole.schema, [*whole.to_batches(), *more.to_batches()])
    with pytest.raises(samestory.InputError, match=r"duplicate ids: 'b' at [^;]*\nHint") as caught:
        samestory.cluster(reader, samestory.Config(threads=1))
    assert "'A'" not in str(caught.value)
