"""Small files that would be gigabytes in memory are refused by what they say of themselves, before they are decoded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import results
from results import Store
from results.store import limits, parquet
from results.store.schema import reports_schema
from tests.results.conftest import WHOLE

SCHEMA = reports_schema()
MIB = 2**20


def rows(count: int, text: str) -> pa.Table:
    """Reports of one trial, each with the same text."""
    columns = {"key": ["a"] * count, "attempt": [1] * count, "step": [1] * count, "logged": [text] * count}
    return pa.table([pa.array(columns.get(f.name, [None] * count), f.type) for f in SCHEMA], schema=SCHEMA)


def repeated_text(file: Path) -> None:
    """A text of a megabyte 9,000 times: one in the dictionary, and a run of indices."""
    whole = rows(1, "x")
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 9_000, pa.int32()), pa.array(["x" * 900_000]))
    columns = [texts if f.name == "logged" else pa.concat_arrays([whole[f.name].chunk(0)] * 9_000) for f in SCHEMA]
    schema = pa.schema([pa.field(f.name, texts.type if f.name == "logged" else f.type) for f in SCHEMA])
    pq.write_table(pa.table(columns, schema=schema), file, compression="zstd", store_schema=False)


def long_text(file: Path) -> None:
    pq.write_table(rows(1, "x" * (12 * MIB)), file, compression="zstd")


def many_rows(file: Path) -> None:
    pq.write_table(rows(200_000, "{}"), file)


def lying_footer(file: Path) -> None:
    """Pages of 12 MiB in a file whose footer says that they are small: the two sizes swapped in its Thrift."""
    long_text(file)
    content, said = bytearray(file.read_bytes()), pq.ParquetFile(file).metadata.row_group(0)
    for size in {said.column(index).total_uncompressed_size for index in range(said.num_columns)}:
        if size > MIB:
            was, is_now = zigzag(size), zigzag(7).ljust(1)
            at = content.rfind(was)
            while at > 0:
                content[at : at + len(was)] = bytes([is_now[0] | 0x80, *[0x80] * (len(was) - 2), 0])
                at = content.rfind(was, 0, at) if content.rfind(was, 0, at) > len(content) // 2 else -1
    file.write_bytes(content)


def zigzag(number: int) -> bytes:
    """A whole number as Thrift's compact protocol writes it."""
    rest, found = number << 1, bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*found, rest])


BOMBS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a text of the dictionary 9,000 times": (repeated_text, "its texts take 8,100,009,000 bytes"),
    "200,000 reports of one trial": (many_rows, "it holds 200,000 rows but may hold at most 100,000"),
}

# Of the kernel's two peaks, ru_maxrss is inherited from the process that forked: within a large pytest it says nothing.
PEAK = """
import resource, sys
from pathlib import Path
from results import report
code = report.main([sys.argv[1]])
status = Path("/proc/self/status")
if status.exists():
    peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # bytes on macOS, whose processes are spawned
print("peak", peak, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_that_decodes_to_gigabytes_is_refused_in_little_memory(name, tmp_path) -> None:
    make, words = BOMBS[name]
    store = Store.create(tmp_path / "c", {}, {})
    store.write_trial({**WHOLE, "key": "a", "status": "completed"})
    make(store.folder / "reports" / "a.parquet")
    assert (store.folder / "reports" / "a.parquet").stat().st_size < 2 * MIB
    root = Path(results.__file__).parents[1]
    found = subprocess.run([sys.executable, "-c", PEAK, str(store.folder)], cwd=root, text=True, capture_output=True)
    line, peak = found.stderr.splitlines()[-2:]
    assert found.returncode == 2 and words in line, line
    assert int(peak.split()[1]) < 1024 * 1024, "KiB"


def test_the_size_that_a_page_says_of_itself_counts_and_not_the_footers(tmp_path) -> None:
    lying_footer(tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    said = pq.ParquetFile(pa.BufferReader(content)).metadata.row_group(0)
    assert max(said.column(index).total_uncompressed_size for index in range(said.num_columns)) < MIB
    with pytest.raises(ValueError, match=r"its pages take over .* bytes decompressed"):
        parquet.read(content, SCHEMA, 10, 10 * MIB)


def test_a_long_text_is_refused_before_it_is_decompressed(tmp_path) -> None:
    long_text(tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < MIB / 10
    with pytest.raises(ValueError, match=r"its pages take over 10,485,760 bytes decompressed"):
        parquet.read((tmp_path / "a.parquet").read_bytes(), SCHEMA, 10, 10 * MIB)


def test_columns_that_stand_there_twice_are_refused(tmp_path) -> None:
    twice = pa.table([pa.array(["a"]), pa.array(["b"])], names=["key", "key"])
    pq.write_table(twice, tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="its columns are not those"):
        parquet.read((tmp_path / "a.parquet").read_bytes(), SCHEMA, 10)


def test_a_file_beyond_the_limit_is_not_read(tmp_path) -> None:
    store = Store.create(tmp_path / "c", {}, {})
    with (store.folder / "trials" / "a.parquet").open("wb") as file:
        file.truncate(limits.FILE_BYTES + 1)
    with pytest.raises(ValueError, match="it holds 67,108,865 bytes but may hold at most"):
        store.trials()
