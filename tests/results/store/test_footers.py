"""A footer that is read by its form gives what it gives byte by byte, also where somebody changed it."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from results.store import footers, pages, parquet
from results.store.thrift import Reader


def written(numbers: list[int], of_many: bool = False) -> bytes:
    columns = {
        "key": pa.array([f"k{number}" for number in numbers]),
        "number": pa.array(numbers, pa.int64()),
        "step": pa.array(range(len(numbers)), pa.int64()),
        "tokens": pa.array([None] * len(numbers), pa.int64()),
        "name": pa.array(["loss"] * len(numbers)).dictionary_encode(),
        "value": pa.array([number / 7 for number in numbers]),
        "unit": pa.array(["1"] * len(numbers)).dictionary_encode(),
    }
    return (parquet.of_many_rows if of_many else parquet.of_few_rows)(pa.table(columns))


def start_of(content: bytes) -> int:
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def byte_by_byte(content: bytes) -> object:
    try:
        return footers._read(Reader(content, start_of(content)))
    except ValueError:
        return "refused"


@pytest.mark.parametrize("of_many", [False, True])
def test_a_footer_with_other_numbers_is_read_by_the_form(of_many: bool) -> None:
    first = written([1, 2, 3], of_many)
    form = footers._form(first, start_of(first))
    for other in (written([5], of_many), written(list(range(3000)), of_many), first):
        found = form.read(other, start_of(other))
        assert found is not None
        assert found == byte_by_byte(other)


def test_a_footer_of_another_schema_is_not_read_by_the_form() -> None:
    first, other = written([1]), parquet.of_few_rows(pa.table({"key": ["a"], "value": [1.0]}))
    assert footers._form(first, start_of(first)).read(other, start_of(other)) is None


def test_a_changed_footer_is_read_by_the_form_as_byte_by_byte_or_not_at_all() -> None:
    first = written([1, 2, 3], True)
    start, by_form, refused = start_of(first), 0, 0
    form = footers._form(first, start)
    end = len(first) - 8
    draw = random.Random(0)
    for _ in range(3000):
        content = bytearray(first)
        for _ in range(draw.randint(1, 3)):
            content[draw.randrange(start + len(form.head), end)] = draw.randrange(256)
        found = form.read(bytes(content), start)
        if found is None:
            refused += 1
        else:
            by_form += 1
            assert found == byte_by_byte(bytes(content))
    assert by_form > 100 and refused > 100, (by_form, refused)


def test_parts_with_notes_of_their_own_are_read_by_one_form() -> None:
    table = pa.table({"key": ["a", "b"], "value": [1.0, None]})
    first = parquet.of_part(table, {"through": "7"})
    form = footers._form(first, start_of(first))
    for note in ("8", "123456789", "x" * 200):
        other = parquet.of_part(table.slice(1), {"through": note})
        assert form.read(other, start_of(other)) == byte_by_byte(other)
    cut = other[:-8] + b"\x00" + (len(other) - 7 - start_of(other)).to_bytes(4, "little") + b"PAR1"
    assert form.read(cut, start_of(cut)) is None, "there is more behind it"


def test_a_changed_page_header_is_read_by_its_form_as_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    contents, draw = [written([1, 2, 3], of_many) for of_many in (False, True)], random.Random(0)

    def read(content: bytes) -> object:
        try:
            return pages.page(content, 4)
        except ValueError:
            return "refused"

    changed = list(contents)
    for _ in range(3000):
        content = bytearray(draw.choice(contents))
        content[draw.randrange(4, 24)] = draw.randrange(256)
        changed.append(bytes(content))
    by_form = [read(content) for content in changed]
    matched = sum(pages._USUAL.match(content, 4) is not None for content in changed)
    assert all(pages._USUAL.match(content, 4) for content in contents)
    assert 100 < matched < 2900

    class Nothing:
        def match(self, content: bytes, at: int) -> None:
            return None

    monkeypatch.setattr(pages, "_USUAL", Nothing())
    assert [read(content) for content in changed] == by_form


def test_forms_are_learned_from_the_second_footer_and_are_few() -> None:
    forms = footers._Forms()
    for number in range(100):
        content = parquet.of_few_rows(pa.table({f"column{number}": [1]}))
        forms.read(content, start_of(content))
        assert len(forms.known) == (0 if number == 0 else (number + 1).bit_length() - 1)


def test_a_second_description_of_a_column_takes_nothing_away_from_the_first() -> None:
    """As Thrift's own reader has it, by which pyarrow finds the dictionary of a column."""
    one = bytes([0x3C, 0x76, 2, 0x26, 8, 0x26, 4, 0, 0x0C, 6, 0x76, 6, 0, 0])  # fields 7, 9 and 11, then 7 again
    assert footers._metadata(Reader(one, 0)) == {7: 3, 9: 4, 11: 2}
