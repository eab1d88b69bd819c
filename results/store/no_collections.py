"""Rest of Python's garbage collector while the rows of a large campaign become objects that stay.

Each time that these are a quarter more it goes through all of them, in search of cycles that nobody holds any more: of
ten thousand trials that was a tenth of a resume and of a report, and found nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Put collections off in the block, also of other threads; where it rests already, it does so afterwards too."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
