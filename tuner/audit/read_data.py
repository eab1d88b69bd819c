"""Settings of what is read, in the audit: its shortened runs read a made-up text, so the data themselves are compared.

Two sources that give the same tokens are one data set whatever they are called; by that a setting changes something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from search_spaces.space import Space
from trainable.component_paths import get_value, with_values
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import cache_folder, prepared, text_source
from trainable.data.sources import DOWNLOADED
from trainable.data.text_cache import text_folder
from tuner.audit.overrides import INERT, LIVE, Finding, key_of, undo

READ_PATHS = ("data.source", "data.tokenizer", "data.pretokenizer")  # that a shortened run does not have


def data_findings(
    space: Space, scale: str, overrides: Mapping[str, Any], base: TrainConfig, opened: Dataset | None
) -> dict[str, Finding]:
    """A finding for each of the ``overrides`` of ``base`` that is about what is read, where what is here tells.

    ``opened`` are the data of ``base``; None where they are not prepared yet.
    """
    found = {}
    for path in READ_PATHS:
        if path not in overrides:
            continue
        try:
            without = with_values(space.scale(scale).base, undo(overrides, path))
        except ValueError:  # what else is set needs it
            continue
        if key_of(without) == key_of(base):
            continue  # it restates what is there
        try:
            alike = read_alike(base, without, opened)
        except (ValueError, OSError):  # what would be read without it is not there
            continue
        if alike is not None:
            undone = get_value(without, path)
            why = f"the same tokens as with {undone}" if alike else ""
            found[path] = Finding(path, INERT if alike else LIVE, overrides[path], undone, why=why)
    return found


def as_data_tell(findings: Sequence[Finding], of_data: Mapping[str, Finding]) -> list[Finding]:
    """The findings with those about what is read in the place of what a shortened run, which reads other text, has."""
    replaced = [of_data.get(finding.path, finding) for finding in findings]
    return [*replaced, *(one for path, one in of_data.items() if path not in {found.path for found in findings})]


def read_alike(one: TrainConfig, other: TrainConfig, opened: Dataset | None = None) -> bool | None:
    """Tell whether two configs read the same tokens; None where not enough of both is here to know.

    ``opened`` are the data of ``one``, where they are open. Nothing is prepared, downloaded or written.
    """
    named = [config.data.source in DOWNLOADED for config in (one, other)]
    if all(named):
        return None if one.data.source == other.data.source else False
    texts = [_text_of(config) for config in (one, other)]
    if all(texts):
        return texts[0] == texts[1]
    if any(named):
        return False if any(texts) else None  # a folder may hold the files of a name, under another fingerprint
    first, second = opened or _opened(one), _opened(other)
    return None if first is None or second is None else first.fingerprint == second.fingerprint


def _text_of(config: TrainConfig) -> str | None:
    """Name a text with the way in which it becomes tokens; None of shards and of names, which are tokens."""
    source = text_source(config.data)
    return None if source is None else text_folder(source, config.data, cache_folder()).name


def _opened(config: TrainConfig) -> Dataset | None:
    """The data of a text or of a folder of shards, where they are prepared."""
    return prepared(config.data)
