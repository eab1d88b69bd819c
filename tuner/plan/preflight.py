"""Check of a plan's data (``--dry-run``) without preparing them: it refuses what a run would refuse.

Text is read by the code of a run, and neither tokenised nor written. Where the data are prepared already they are
opened, so that nothing is left open.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from terminal.counted import counted
from trainable.config import TrainConfig
from trainable.data import preparation
from trainable.data.dataset import Dataset
from trainable.data.prepared_folder import Say
from trainable.data.sources import STDLIB
from trainable.data.text_size import TextSize, measure
from trainable.evaluation.enough import check_enough, check_text


def look(
    config: TrainConfig, train_tokens_needed: int | None, say: Say, measured: dict[str, TextSize] | None = None
) -> Dataset | None:
    """The data of a run where they are prepared already, else None; a ValueError for data that a run would refuse.

    ``say`` is given what was read, and what only a run can tell. ``measured`` keeps the sizes of what has been read,
    by source: give the same to several looks.
    """
    found = preparation.prepared(config.data, train_tokens_needed)
    if found is not None:
        check_enough(found, config)
        return found
    check_writable(preparation.cache_folder())
    source = preparation.text_source(config.data)
    if source is None:
        return None  # of a download, which check_source announces
    vocabulary = f"a vocabulary of {config.data.vocab_size:,} tokens and " if config.data.tokenizer is None else ""
    wanted = f"{vocabulary}{_evaluated(config)}"
    if config.data.source == STDLIB:
        say(f"{source.name}, not prepared on this machine yet: a run does that first, and sees that it gives {wanted}")
        return None
    measured = {} if measured is None else measured
    if config.data.source not in measured:
        say(f"reading {source.name}")
        measured[config.data.source] = measure(source)
    size = measured[config.data.source]
    check_text(size, config)
    empty = f", {counted(size.empty, 'empty document')} left out" if size.empty else ""
    about = f"; {source.about}{empty}" if source.about else ""
    say(
        f"{source.name}: {counted(size.train.bytes, 'byte')} of text for training, {size.validation.bytes:,} for "
        f"validation{about}; not checked, as a run must tokenise it first: that it gives {wanted}"
    )
    return None


def check_writable(cache: Path) -> None:
    """Raise a ValueError for a cache in which nothing could be prepared; nothing is made to find out."""
    there = next(place for place in (cache.absolute(), *cache.absolute().parents) if os.path.lexists(place))
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return
    why = os.strerror(errno.EACCES if there.is_dir() else errno.ENOTDIR)
    raise ValueError(f"cannot write to the cache {cache} ({why}): set TUNER_CACHE")


def _evaluated(config: TrainConfig) -> str:
    if config.evaluation.tokens is None:
        return f"at least {config.evaluation.seq_len:,} target tokens of validation text"
    return f"{config.evaluation.tokens:,} target tokens of validation text"
