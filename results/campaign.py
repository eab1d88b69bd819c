"""What ``campaign.json`` may hold: the fields that are read from it, each with its type. Others are kept and ignored.

A campaign's folder is carried about, edited and damaged like any file, so its fields are checked where it is read and
not where each one is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from storage.location import Location

from results.schema import SCHEMA_VERSION

_TEXT, _WHOLE, _OBJECT, _TEXTS = "text", "a whole number", "an object", "a list of texts"
FIELDS = {  # name -> what it must be; null is allowed where the code that writes it leaves something out
    "space": _TEXT, "scale": _TEXT, "objective": _TEXT, "stopper": _TEXT, "fidelity": _TEXT, "data": _TEXT,
    "objectives": _TEXTS, "constraints": _TEXTS, "likely": _TEXTS, "reuse": _TEXTS, "trials": _WHOLE, "reports": _WHOLE,
    "overrides": _OBJECT, "base": _OBJECT, "seed": _WHOLE, "replay": _OBJECT, "recorded": _OBJECT, "knobs": _OBJECT,
}  # fmt: skip
NULLABLE = ("seed", "replay", "recorded")
REPLAY = {"selections": _TEXTS, "reading": _TEXT, "seeds": _WHOLE}


def parse(path: Location, content: bytes) -> dict[str, Any]:
    """The campaign that a file holds; a ValueError, one line, for anything that is none or of a newer version."""
    try:
        campaign = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if not isinstance(campaign, dict) or not isinstance(campaign.get("knobs"), dict):
        raise ValueError(f"{path} cannot be read: it must hold an object with 'schema_version' and 'knobs'")
    version = campaign.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError(f"{path} cannot be read: schema_version is {version!r} but must be a whole number from 1")
    if version > SCHEMA_VERSION:
        raise ValueError(f"{path} has schema_version {version} but this code reads up to {SCHEMA_VERSION}")
    check(path, campaign, FIELDS)
    if campaign.get("replay") is not None:
        require(path, campaign["replay"], REPLAY)
        check(path, campaign["replay"], REPLAY)
    return campaign


def check(path: Location, found: Mapping[str, Any], fields: Mapping[str, str]) -> None:
    """A ValueError for a field of a wrong type."""
    for name, must in fields.items():
        value = found.get(name)
        if name in found and not _is(must, value) and not (value is None and name in NULLABLE):
            raise ValueError(f"{path} cannot be read: {name} is {_short(value)} but must be {must}")


def require(path: Location, found: Mapping[str, Any], names: Iterable[str]) -> None:
    """A ValueError for a field that is missing."""
    for name in names:
        if name not in found:
            raise ValueError(f"{path} cannot be gone on with: it holds no {name!r}")


def _is(must: str, value: Any) -> bool:
    if must == _TEXTS:
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    if must == _WHOLE:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str if must == _TEXT else dict)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
