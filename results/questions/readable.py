"""The argument of every question: a campaign of ``results.load`` or of ``tuner.load``, which is read once for it."""

from __future__ import annotations

from typing import Protocol

from results.store.frames import Results


class Readable(Protocol):
    """A campaign that can be read."""

    def read(self) -> Results:
        """All that its files say at this moment."""
        ...
