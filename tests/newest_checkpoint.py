"""The checkpoint that an attempt would go on from, which only tests look at by itself."""

from __future__ import annotations

from storage.location import Location
from trainable.worker.attempt import Attempt


def newest(attempt: Attempt) -> Location | None:
    return attempt.folder / attempt.names[0] if attempt.names else None
