"""The configs of a campaign, decoded together: equal parts become one object, checked once, written once for the keys.

The configs of a search differ in a few parts. To build each of ten thousand by itself took ten times as long.
"""

from __future__ import annotations

import marshal
from typing import Any

from trainable.component import Component
from trainable.component_fields import typed
from trainable.component_json import decoded
from trainable.config import TrainConfig
from trainable.key_text import part_text

MOST = 5_000  # parts that are kept
_Place = tuple[type[Component], str, int]  # a field, and the id of a part that was given to it


class AlikeConfigs:
    """Decoder of configs, as :func:`component_json.decode` is one. Parts are frozen, so that they can be shared."""

    def __init__(self) -> None:
        self._parts: dict[bytes, Any] = {}  # by what they are in JSON, where 1, 1.0 and true are three things
        self._kept: set[int] = set()  # ids of these: they stay theirs
        self._fitting: dict[_Place, Any] = {}  # such a part as a field has it
        self._texts: dict[int, str] = {}  # of those, by id, that were met again

    def decode(self, data: Any) -> Any:
        """The component of JSON data; a ValueError as of ``decode``, for a part that was wrong before once more."""
        return decoded(data, self._part, self._fit)

    def key(self, config: TrainConfig, data_fingerprint: str) -> str:
        """The key of a config that was decoded here."""
        return config.key(data_fingerprint, self._texts)

    def _part(self, data: Any) -> Any:
        said = marshal.dumps(data, 2)  # in half of the time of a text
        if (found := self._parts.get(said)) is None:
            found = decoded(data, self._part, self._fit)
            if len(self._parts) < MOST:
                self._parts[said] = found
                self._kept.add(id(found))
        return found

    def _fit(self, cls: type[Component], name: str, value: Any) -> Any:
        if id(value) not in self._kept:
            return typed(cls, name, value)
        place = cls, name, id(value)
        if (found := self._fitting.get(place)) is None:
            found = self._fitting[place] = typed(cls, name, value)
        elif id(found) not in self._texts:
            self._texts[id(found)] = part_text(found)
        return found
