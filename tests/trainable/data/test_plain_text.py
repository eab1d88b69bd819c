"""Bytes that are no text: refused in one line with their place and the likely reason, in files of every format."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainable.data import plain_text, text, tokenizer
from trainable.data.plain_text import LONGEST_BLANK


def refusal(path: Path) -> str:
    with pytest.raises(ValueError) as refused:
        list(text.source_at(path).documents())
    said = str(refused.value)
    assert str(path) in said and "\n" not in said and len(said) < len(str(path)) + 250
    return said


REFUSED = {  # content of x.txt, and the words of its refusal
    "UTF-16 without a mark": ("héllo wörld\n".encode("utf-16-le"), "looks like UTF-16LE without a mark; convert it"),
    "UTF-16 the other way": ("hello world\n".encode("utf-16-be"), "NUL byte at position 0: it looks like UTF-16BE"),
    "UTF-16 of plain letters": (
        "hello\n".encode("utf-16-le"),
        "holds a NUL byte at position 1: it looks like UTF-16LE",
    ),
    "UTF-32": ("hello\n".encode("utf-32-le"), "it looks like UTF-32LE without a mark"),
    "UTF-32 the other way": ("hello\n".encode("utf-32-be"), "it looks like UTF-32BE without a mark"),
    "UTF-16 with a mark": (codecs.BOM_UTF16_BE + "a".encode("utf-16-be"), "begins as UTF-16 does; convert it first"),
    "a binary file": (b"abc\0def\n" * 100, "holds a NUL byte at position 3: a binary file?"),
    "one NUL at the end": (b"abc" * 1000 + b"\0", "holds a NUL byte at position 3,000: a binary file?"),
    "gzip": (gzip.compress(b"abc"), "begins as gzip does; unpack it first"),
    "Zstandard": (b"\x28\xb5\x2f\xfd\x04", "begins as Zstandard does; unpack it first"),
    "a zip archive": (b"PK\x03\x04\x14\0\0\0", "begins as a zip archive does; unpack it first"),
    "Parquet": (b"PAR1\x15\0\x15\0", "begins as Parquet does; let its name end in .parquet"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "begins as PDF does; take the text out of it first"),
    "Latin 1": ("caf\xe9".encode("latin-1"), "is not UTF-8 text: byte 0xe9 at position 3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_text_is_named_with_the_place_and_its_likely_kind(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(REFUSED[name][0])
    assert REFUSED[name][1] in refusal(path)


@pytest.mark.parametrize("name", ["gzip", "UTF-16 of plain letters", "a binary file"])
def test_lines_of_json_that_are_no_text_are_named_with_their_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"text": "a"}\n' + REFUSED[name][0])
    said = refusal(path)
    assert "x.jsonl line 2 " in said and REFUSED[name][1] in said


def test_a_nul_in_a_string_of_json_or_of_a_table_is_refused_with_its_line_or_row(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"text": "a"}\n{"text": "ab\\u0000cd"}\n')
    assert "x.jsonl line 2 holds a NUL character at position 2: bytes" in refusal(tmp_path / "x.jsonl")
    pq.write_table(pa.table({"text": ["a", "h\0e\0l\0l\0o\0"]}), tmp_path / "x.parquet")
    assert "x.parquet row 2 holds a NUL character at position 1: it looks like UTF-16LE" in refusal(
        tmp_path / "x.parquet"
    )
    pq.write_table(pa.table({"text": [b"a\0b"]}), tmp_path / "y.parquet")
    assert "y.parquet row 1 holds a NUL byte at position 1" in refusal(tmp_path / "y.parquet")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_other_text_is_taken_as_it_is(content: str) -> None:
    assert plain_text.decode_text(content.encode(), "x") == content
    plain_text.check(content, "x")


# --- a name that stands twice -----------------------------------------------------------------------------------------

TWICE = (
    '{"text": "a", "text": "b"}',
    '{"text": "a", "n": 1, "te\\u0078t": "b"}',
    '{"a": {"b": 1}, "text": 1, "text": 2}',
)
ONCE = (
    '{"text": "say \\"text\\" twice: \\"text\\""}',
    '{"meta": {"text": 1, "text": 2}, "text": "a"}',
    '{"text": "a", "meta": {"text": "text"}}',
    '{"text": "caf\\u00e9"}',
    '{"n": 1, "n": 2, "text": "a"}',
)


@pytest.mark.parametrize("line", TWICE)
def test_a_field_of_text_that_stands_twice_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "x.jsonl").write_text(f'{{"text": "a"}}\n{line}\n')
    assert refusal(tmp_path / "x.jsonl").endswith("x.jsonl line 2 has the field 'text' twice: leave one")


@pytest.mark.parametrize("line", ONCE)
def test_another_name_or_another_object_may_have_it_twice(tmp_path: Path, line: str) -> None:
    (tmp_path / "x.jsonl").write_text(line)
    assert list(text._texts(tmp_path / "x.jsonl")) == [json.loads(line)["text"]]


def test_two_columns_of_text_are_refused(tmp_path: Path) -> None:
    columns = [pa.array(["a"]), pa.array([1]), pa.array(["b"])]
    pq.write_table(pa.Table.from_arrays(columns, names=["text", "n", "text"]), tmp_path / "x.parquet")
    assert refusal(tmp_path / "x.parquet").endswith("has 2 columns that are called 'text': leave one")


# --- blanks without end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", [" ", "\t", " \t\u00a0", "\u3000"])
@pytest.mark.parametrize("before", ["", "a" * 17, "one\n"])
def test_more_blanks_in_a_row_than_a_tokenizer_can_cut_are_refused_in_every_format(tmp_path, blank, before) -> None:
    blanks = (blank * (LONGEST_BLANK + 1))[: LONGEST_BLANK + 1]
    content = f"{before}{blanks}b"
    (tmp_path / "x.txt").write_text(content)
    assert f"more than 900,000 blanks in a row, from position {len(before)}," in refusal(tmp_path / "x.txt")
    (tmp_path / "x.jsonl").write_text(json.dumps({"text": content}))
    assert "x.jsonl line 1 holds more than 900,000 blanks" in refusal(tmp_path / "x.jsonl")


def test_as_many_blanks_as_are_taken_can_be_learnt_from_and_tokenised(tmp_path: Path) -> None:
    """The panic of the tokenizers' regular expression, beyond 999,998, would be no ValueError."""
    (tmp_path / "x.txt").write_text(f"{' ' * LONGEST_BLANK}b{'c' * 400_000}")
    documents = list(text.source_at(tmp_path / "x.txt").documents())
    bpe = tokenizer.train_tokenizer((d.text for d in documents), vocab_size=258)
    assert sum(bpe.byte_counter().base_bytes[bpe.encode(d.text)].sum() for d in documents) == LONGEST_BLANK + 400_001


def test_lines_without_end_are_no_blanks(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("\n" * (2 * LONGEST_BLANK) + "a")
    assert len(list(text.source_at(tmp_path / "x.txt").documents())) == 2
