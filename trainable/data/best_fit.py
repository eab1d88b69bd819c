"""Packing of documents into rows by best fit, as nanochat's loader does (its BOS-aligned rows).

Every row begins at the beginning of a document. A row takes the longest waiting document that still fits, again and
again; where none fits, it takes the shortest one and cuts it off at its end. So no token is filling, and what is cut
off (a third of a web text at 2,048) is not read. At least 1,000 documents wait whenever one is chosen; of equal length
is taken the one that came first. Documents come in batches, since a whole batch joins those that wait.
"""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from trainable.data.shards import Tokens

WAITING = 1000  # documents among which one is chosen, at least
DOCUMENTS_A_BATCH = 128  # tokenised at a time


class WaitingDocuments:
    """Documents that wait, by their length, each length in the order in which they came."""

    def __init__(self) -> None:
        self.count = 0
        self._lengths: list[int] = []  # sorted
        self._of_length: dict[int, deque[Tokens]] = {}

    def add(self, document: Tokens) -> None:
        """Let a document wait, which has one token at least."""
        length = len(document)
        if length not in self._of_length:
            bisect.insort(self._lengths, length)
            self._of_length[length] = deque()
        self._of_length[length].append(document)
        self.count += 1

    def take(self, room: int) -> Tokens:
        """The longest document that fits into ``room`` tokens; where none fits, the beginning of the shortest."""
        place = bisect.bisect_right(self._lengths, room)
        return self._pop(place - 1) if place else self._pop(0)[:room]

    def _pop(self, place: int) -> Tokens:
        length = self._lengths[place]
        waiting = self._of_length[length]
        document = waiting.popleft()
        if not waiting:
            del self._of_length[length], self._lengths[place]
        self.count -= 1
        return document


def rows(batches: Iterable[list[Tokens]], row_tokens: int, waiting: int) -> Iterator[Tokens]:
    """Rows of ``row_tokens`` each, as long as ``waiting`` documents can be had; the row that lacks them is not given.

    So the rows of more batches begin with the rows of fewer.
    """
    there, coming = WaitingDocuments(), iter(batches)
    while True:
        row, room = list[Tokens](), row_tokens
        while room:
            while there.count < waiting:
                if (batch := next(coming, None)) is None:
                    return
                for document in batch:
                    there.add(document)
            row.append(there.take(room))
            room -= len(row[-1])
        yield np.concatenate(row)
