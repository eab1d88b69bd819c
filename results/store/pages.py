"""The pages of a Parquet file, as they describe themselves: the size that a page header names is what a decoder allots
and fills, and the footer, which is checked before, may say less.

Of a page header (PageHeader in parquet.thrift) only the two sizes are needed, and where it ends.
"""

from __future__ import annotations

import re

import pyarrow.parquet as pq

from results.store.footers import DATA_PAGE, DICTIONARY_PAGE, TOTAL_SIZE, VARINT, chunks, zigzag
from results.store.thrift import Reader

MOST_PAGES = 100_000
_MAGIC = b"PAR1"  # how a file begins
_UNCOMPRESSED, _COMPRESSED = 2, 3  # ids of the fields of a page header
# The header of a page of data or of a dictionary as we write it: its kind, the two sizes and a checksum; in a struct
# whole numbers, and statistics without anything in them or whether it is sorted. Any other is read byte by byte.
_USUAL = re.compile(
    rb"\x15%b\x15(%b)\x15(%b)(?:\x15%b)?[\x1c\x2c\x3c\x4c](?:\x15%b)*+(?:\x1c\x00|[\x11\x12])?\x00\x00"
    % ((VARINT,) * 5)
)


def check_pages(content: bytes, footer: pq.FileMetaData, most_bytes: int) -> int:
    """Sum the sizes that all pages claim to decompress to (bytes); a ValueError for more than ``most_bytes``."""
    total, pages = 0, 0
    groups = chunks(content)
    if [len(group) for group in groups] != [footer.row_group(i).num_columns for i in range(footer.num_row_groups)]:
        raise ValueError("its footer contradicts itself: the columns of its parts are not those of the whole")
    for index, group in enumerate(groups):
        is_empty = footer.row_group(index).num_rows == 0 and content.startswith(_MAGIC)
        for column in group:
            at, end = _span(column, is_empty)
            if not 0 <= at <= end <= len(content):
                raise ValueError("its footer points outside of the file")
            while at < end:
                at, size = page(content, at)
                total, pages = total + size, pages + 1
                if total > most_bytes:
                    raise ValueError(f"its pages take over {most_bytes:,} bytes decompressed")
                if pages > MOST_PAGES:
                    raise ValueError(f"it holds over {MOST_PAGES:,} pages")
    return total


def _span(column: dict[int, int], is_empty: bool) -> tuple[int, int]:
    """Find where the pages of a column begin and end."""
    starts = [column.get(DATA_PAGE, -1)]
    if DICTIONARY_PAGE in column:
        starts.append(column[DICTIONARY_PAGE])
    if is_empty:
        starts = [start for start in starts if start > 0] or [len(_MAGIC)]  # at 0, where no page is: none
    return min(starts), min(starts) + column.get(TOTAL_SIZE, -1)


def page(content: bytes, at: int) -> tuple[int, int]:
    """Return where the page that begins at ``at`` ends, and how many bytes it decompresses to."""
    if (usual := _USUAL.match(content, at)) is not None:
        uncompressed, compressed = zigzag(usual[1]), zigzag(usual[2])
        end = usual.end() + compressed
    else:
        reader = Reader(content, at)
        sizes = reader.struct(0)
        compressed, uncompressed = sizes.get(_COMPRESSED, -1), sizes.get(_UNCOMPRESSED, -1)
        end = reader.at + compressed
    if compressed < 0 or uncompressed < 0 or end > len(content):
        raise ValueError("a page says an impossible size of itself")
    return end, uncompressed
