"""Progress bars of libraries in a notebook: they ask for widgets that nobody here shows."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_widgets() -> Iterator[None]:
    """Keep Ray and tqdm, imported within the block, from saying that a notebook has no ipywidgets."""
    logger = logging.getLogger("ray.widgets.util")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")
            yield
    finally:
        logger.setLevel(level)
