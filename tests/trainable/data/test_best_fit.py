"""Packing by best fit, against nanochat's rule written down plainly: look at all that wait, in the order they came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainable.data import best_fit


def packed_plainly(batches: list[list[list[int]]], row_tokens: int, waiting: int) -> list[list[int]]:
    """Rows by the rule itself: the first of the longest that fit, else the first of the shortest, cut off."""
    there: list[list[int]] = []
    coming, rows = list(batches), list[list[int]]()
    while True:
        row: list[int] = []
        while len(row) < row_tokens:
            while len(there) < waiting:
                if not coming:
                    return rows
                there += coming.pop(0)
            room = row_tokens - len(row)
            fitting = [i for i, document in enumerate(there) if len(document) <= room]
            if fitting:
                longest = max(len(there[i]) for i in fitting)
                chosen = next(i for i in fitting if len(there[i]) == longest)
            else:
                chosen = min(range(len(there)), key=lambda i: len(there[i]))
            row += there.pop(chosen)[:room]
        rows.append(row)


DOCUMENTS = st.lists(st.integers(1, 30), min_size=0, max_size=120)


@given(lengths=DOCUMENTS, row_tokens=st.integers(2, 20), waiting=st.integers(1, 15), batch=st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_rows_are_those_of_the_plain_rule(lengths, row_tokens, waiting, batch) -> None:
    documents = [[1000 * i + place for place in range(n)] for i, n in enumerate(lengths)]
    batches = [documents[i : i + batch] for i in range(0, len(documents), batch)]
    given_batches = [[np.array(d, dtype=np.uint32) for d in some] for some in batches]
    found = [row.tolist() for row in best_fit.rows(given_batches, row_tokens, waiting)]
    assert found == packed_plainly(batches, row_tokens, waiting)


def test_rows_of_more_documents_begin_with_those_of_fewer() -> None:
    draw = np.random.default_rng(0)
    batches = [[np.full(n, i, dtype=np.uint16) for n in draw.integers(1, 40, 16)] for i in range(20)]
    few, many = (np.array(list(best_fit.rows(batches[:n], 33, 50))) for n in (10, 20))
    assert 0 < len(few) < len(many) and (many[: len(few)] == few).all()


@pytest.mark.parametrize(("room", "expected"), [(3, [7, 7, 7]), (4, [7, 7, 7]), (2, [8, 8]), (1, [8])])
def test_the_longest_that_fits_is_taken_and_else_the_shortest_is_cut_off(room: int, expected: list[int]) -> None:
    there = best_fit.WaitingDocuments()
    for value, length in ((5, 6), (8, 2), (7, 3), (6, 3)):
        there.add(np.full(length, value, dtype=np.uint16))
    assert there.take(room).tolist() == expected and there.count == 3
