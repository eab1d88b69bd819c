"""Linear algebra of small matrices on one thread.

numpy's BLAS uses every core for products of a few dozen rows, where threads gain nothing: each waits for the others by
spinning, and where other processes have the cores, for most of the time. ``importance`` does tens of thousands of such
products.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

SET_BY_THE_USER = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS use one thread in the block, and as many as before after it.

    It changes this process alone, and not its environment: a worker of Ray, which trains, would inherit that. Whoever
    has set a number of threads in the environment keeps it.
    """
    if any(os.environ.get(name) for name in SET_BY_THE_USER):
        yield
        return
    from threadpoolctl import threadpool_limits  # looks through all loaded libraries: once it is needed

    with threadpool_limits(limits=1, user_api="blas"):
        yield
