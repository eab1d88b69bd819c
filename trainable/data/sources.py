"""Meaning of a text in ``data.source``, by a look that costs nothing: kinds, names and headers of files."""

from __future__ import annotations

import os
from pathlib import Path

from storage import location
from terminal.nearest import nearest

from trainable.data import download, named, shards, text, vocabulary_files

STDLIB = "stdlib"
DOWNLOADED = (*named.RECIPES, *download.DATASETS)  # of what is downloaded


def check(source: str) -> None:
    """Raise a ValueError for a source that cannot be read. No text is read, and nothing is downloaded."""
    if source == STDLIB or source in named.RECIPES:
        return
    if source in download.DATASETS:
        download.check(source)
        return
    check_there(source)
    path = location.local(source)
    if not has_shards(source):
        text.source_at(path)
        return
    for split in splits(path):
        for shard in split:
            shards.read(shard)
    vocabulary_files.byte_counter_of(path)


def check_there(source: str) -> None:
    """Raise a ValueError, with the nearest data set's name, for what is neither one nor a path where anything is."""
    if not is_there(source):
        hint = nearest(source, [STDLIB, *DOWNLOADED], "names")
        raise ValueError(f"there are no data {source!r}, which is neither a file or folder nor a dataset: {hint}")


def is_there(source: str) -> bool:
    """Tell whether a text is the name of a data set, or a path where anything is; a ValueError for what is no path."""
    return source in (STDLIB, *DOWNLOADED) or os.path.lexists(location.local(source))


def has_shards(source: str) -> bool:
    """Tell whether a folder holds shards; a .bin file of another name is none, and may lie beside texts."""
    folder = location.local(source)
    return os.path.isdir(folder) and any(shards.shard_files(folder, split) for split in ("train", "val"))


def splits(folder: Path) -> tuple[list[Path], list[Path]]:
    """The shards of training and validation; a ValueError where one has none."""
    train, validation = shards.shard_files(folder, "train"), shards.shard_files(folder, "val")
    for split, found in (("train", train), ("val", validation)):
        if not found:
            raise ValueError(f"{folder} holds .bin files but no shard of the {split} split (*_{split}_*.bin)")
    return train, validation
