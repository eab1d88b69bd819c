"""Words that were given as an option and name a setting: ``--tokenizer gpt2`` is ``--set data.tokenizer=gpt2``."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator

from trainable.component import Component

LONGEST = 60  # characters of a value that is repeated


def as_setting(option: str, value: str) -> str | None:
    """Say how the setting of that name is given; None where there is none. ``value`` is empty where none was given."""
    from trainable.config import TrainConfig  # not where every option is one

    name = option.lstrip("-").replace("-", "_")
    paths = [path for path in _paths(TrainConfig()) if name == path or path.endswith(f".{name}")]
    if not paths:
        return None
    said = value if value and len(value) <= LONGEST else "VALUE"
    ways = [f"--set {shlex.quote(f'{path}={said}')}" for path in paths]
    return f"a search takes {' or '.join(ways)}"


def _paths(config: Component, before: str = "") -> Iterator[str]:
    """The dotted path of each setting of a run that is no component."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, Component):
            yield from _paths(value, f"{before}{field.name}.")
        yield before + field.name
