"""Tables in pieces: the groups in which they are written hang on nothing but their rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samestory import pieces as module
from samestory.pieces import Pieces
from samestory.progress import Counter, ignore_progress
from samestory.write import _write_table

cells = st.one_of(st.none(), st.text(max_size=4), st.sampled_from(["x" * 40, "y" * 90]))


def in_pieces(table: pa.Table, piece_rows: int) -> Pieces:
    whole = Pieces.of(table)
    return Pieces(whole.schema, whole.n_rows, whole.make, piece_rows)


@given(st.lists(cells, max_size=60), st.integers(1, 70), st.integers(1, 70))
def test_groups_are_of_so_many_rows(values: list[str | None], piece_rows: int, group_rows: int) -> None:
    table = pa.table({"a": pa.array(values, pa.string()), "n": range(len(values))})
    found = in_pieces(table, piece_rows)
    assert len(found) == len(table)
    assert found.table().equals(table)
    groups = list(found.groups(group_rows))
    assert [len(group) for group in groups[:-1]] == [group_rows] * (len(groups) - 1)
    assert all(column.num_chunks == 1 for group in groups for column in group.columns)
    assert pa.concat_tables([table.slice(0, 0), *groups]).equals(table)


@given(st.lists(cells, max_size=60), st.integers(1, 70), st.integers(1, 70))
def test_a_group_of_long_texts_is_halved_whatever_the_pieces(
    values: list[str | None], one: int, other: int
) -> None:
    table = pa.table({"a": pa.array(values, pa.string()), "n": range(len(values))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_BYTES", 100)
        groups = list(in_pieces(table, one).groups(16))
        again = list(in_pieces(table, other).groups(16))
    assert [len(group) for group in groups] == [len(group) for group in again]
    assert pa.concat_tables([table.slice(0, 0), *groups]).equals(table)
    for group in groups:
        n_bytes = sum(len((value or "").encode()) for value in group["a"].to_pylist())
        assert len(group) == 1 or n_bytes <= 100


@pytest.mark.parametrize("piece_rows", [1, 7, 64, 4999, 10_000])
def test_the_bytes_of_a_file_hang_on_its_rows_alone(
    piece_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samestory.write.GROUP_ROWS", 1000)
    table = pa.table(
        {
            "doc_id": [f"id{k}" for k in range(5000)],
            "source": [None if k % 7 else f"outlet {k % 300}" for k in range(5000)],
            "share": [k / 5000 for k in range(5000)],
        }
    )
    for name, found in (("whole", Pieces.of(table)), ("parts", in_pieces(table, piece_rows))):
        _write_table(found, tmp_path / name, {b"a": b"b"}, Counter("write", 5000, ignore_progress))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()
    assert pq.read_table(tmp_path / "parts").equals(table)
    assert pq.read_metadata(tmp_path / "parts").num_row_groups == 5
