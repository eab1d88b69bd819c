"""Memory of the last trial that is in cycles, freed before the next one needs it.

A full collection looks at every object of the process, and hundreds of thousands are those of imported modules, which
stay for ever: 0.2 s, more than a small trial trains. So what is there before the first trial is put out of the
collector's sight, and before the second one what the first has loaded (modules that torch imports late, the data).
"""

from __future__ import annotations

import gc

SETTLED = 2  # trials that a worker has begun, after which it loads no further modules


class Leftovers:
    """Leftovers of one worker's trials."""

    def __init__(self) -> None:
        self.begun = 0

    def free(self) -> None:
        """Free what is no longer used. To be called between two trials, when nothing of a trial is held."""
        gc.collect()
        if self.begun < SETTLED:
            gc.freeze()
            self.begun += 1
