"""A column of texts is built as ``pa.array`` builds it, without loading pandas."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from results.store import parquet

LOADED = """
import sys
from results.store.parquet import texts
assert texts(["a", None]).to_pylist() == ["a", None]
assert "pandas" not in sys.modules
"""


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_are_a_whole_column_of_them(found) -> None:
    column = parquet.texts(found)
    column.validate(full=True)
    assert column.equals(pa.array(found, pa.string())) and column.null_count == found.count(None)


def test_a_column_of_texts_needs_no_pandas() -> None:
    subprocess.run([sys.executable, "-c", LOADED], check=True)
