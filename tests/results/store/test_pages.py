"""The footer as our own reader has it: pyarrow's look at a column ends the process where a footer is damaged."""

from __future__ import annotations

import io
import signal
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results.store import footers, pages


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
    found = footers.chunks(content)
    assert len(found) == footer.num_row_groups == -(-4 // row_group_size)
    for index, group in enumerate(found):
        theirs = [footer.row_group(index).column(j) for j in range(footer.num_columns)]
        assert [c[footers.DATA_PAGE] for c in group] == [c.data_page_offset for c in theirs]
        assert [c[footers.TOTAL_SIZE] for c in group] == [c.total_compressed_size for c in theirs]
        assert [c.get(footers.DICTIONARY_PAGE) for c in group] == [c.dictionary_page_offset for c in theirs]


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


# A file of one column, one row and no statistics, as pyarrow 26 writes it: its footer are the bytes from 33 on. Of the
# 43,860 files that differ from it in one byte, pyarrow's look at the column ends the process on 167.
SMALL = """
504152311500151415142c15021500150615061c000000020000000201010000001504192c35001806736368656d6115020015022502180161251e4c
ac1308110000001602191c191c26001c1502192506001918016115001602163a163a2608491c150015001502003c290619260002000000163a160226
08163a002820706172717565742d6370702d6172726f772076657273696f6e2032362e302e31191c1c0000008300000050415231
"""
READ = """
import io, resource, sys
import pyarrow as pa
import pyarrow.parquet as pq
from results.store import parquet

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
content = bytes.fromhex(sys.argv[1])
try:
    print("read", parquet.read(content, pa.schema([("a", pa.int8())]), 10).to_pylist(), flush=True)
except (ValueError, OSError, pa.ArrowException) as error:
    print("refused", parquet.first_line(error), flush=True)
pq.read_metadata(io.BytesIO(content)).row_group(0).column(0)
print("looked at")
"""


def read(content: bytes) -> tuple[int, list[str]]:
    """Exit code and lines of a process that reads the file as we do, and then looks at its column through pyarrow."""
    done = subprocess.run([sys.executable, "-c", READ, content.hex()], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


def test_the_small_file_is_read_while_it_is_whole() -> None:
    assert read(bytes.fromhex(SMALL)) == (0, ["read [{'a': 1}]", "looked at"])


@pytest.mark.parametrize(("at", "byte"), [(52, 35), (53, 0), (106, 26), (107, 32)])
def test_a_footer_that_ends_pyarrows_process_is_one_line_of_ours(at, byte) -> None:
    content = bytearray.fromhex(SMALL)
    content[at] = byte
    code, lines = read(bytes(content))
    assert len(lines) == 1 and lines[0].startswith("refused ")
    assert code == -signal.SIGABRT, "pyarrow raises by now: pages.py could ask it where pages lie"
