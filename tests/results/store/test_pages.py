"""The footer as our own reader has it: pyarrow's look at a column ends the process where a footer is damaged."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results.store import pages


def written(dictionaries: bool, row_group_size: int) -> bytes:
    buffer = io.BytesIO()
    table = pa.table({"key": ["a", "b", "a", None], "number": [1, 2, 3, 4], "value": [0.5, None, 2.0, 3.0]})
    pq.write_table(table, buffer, use_dictionary=dictionaries, row_group_size=row_group_size, compression="zstd")
    return buffer.getvalue()


@pytest.mark.parametrize("dictionaries", [True, False])
@pytest.mark.parametrize("row_group_size", [1, 3, 100])
def test_where_pages_lie_is_read_as_pyarrow_reads_it(dictionaries, row_group_size) -> None:
    content = written(dictionaries, row_group_size)
    footer = pq.read_metadata(io.BytesIO(content))
    found = pages._chunks(content)
    assert len(found) == footer.num_row_groups == -(-4 // row_group_size)
    for index, group in enumerate(found):
        theirs = [footer.row_group(index).column(j) for j in range(footer.num_columns)]
        assert [c[pages._DATA] for c in group] == [c.data_page_offset for c in theirs]
        assert [c[pages._SIZE] for c in group] == [c.total_compressed_size for c in theirs]
        assert [c.get(pages._DICTIONARY) for c in group] == [c.dictionary_page_offset for c in theirs]


def test_pages_are_summed_without_pyarrows_look_at_a_column() -> None:
    content = written(True, 3)
    footer = pq.read_metadata(io.BytesIO(content))

    class Group:
        num_columns, num_rows = footer.num_columns, 3

        def column(self, index: int) -> None:
            raise AssertionError("it may end the process")

    class Footer:
        num_row_groups = footer.num_row_groups

        def row_group(self, index: int) -> Group:
            return Group()

    total = pages.check_pages(content, Footer(), 10**6)
    assert total > 0
    with pytest.raises(ValueError, match="its pages take over"):
        pages.check_pages(content, Footer(), total - 1)


def test_a_footer_that_lacks_a_columns_metadata_is_refused() -> None:
    content = written(False, 100)
    other = pq.read_metadata(io.BytesIO(written(False, 1)))
    with pytest.raises(ValueError, match="contradicts itself"):
        pages.check_pages(content, other, 10**6)
