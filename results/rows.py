"""Whether the rows of a file are rows of ours. What Parquet itself notices (cut files, changed bytes) comes before."""

from __future__ import annotations

import json

import pyarrow as pa

from results.schema import STATUSES

_JSON = b"JSON"
_OBJECTS = ("overrides", "logged")  # and not any other JSON


def problem(table: pa.Table, key: str | None) -> str:
    """Why the rows cannot be those of the trial ``key`` (None: of any trials); empty where they can."""
    table.validate(full=True)  # text that is no UTF-8, offsets that point nowhere: an ArrowInvalid
    keys = set(table["key"].to_pylist())
    if None in keys or (key is not None and not keys <= {key}):
        return f"its rows are of {', '.join(sorted(map(str, keys)))}"
    if "status" in table.column_names:
        unknown = set(table["status"].to_pylist()) - set(STATUSES)
        if unknown:
            return f"status {unknown.pop()!r} does not exist"
    for field in table.schema:
        if (field.metadata or {}).get(b"unit") == _JSON:
            for text in set(table[field.name].to_pylist()):
                if text is not None and not _is_json(text, field.name in _OBJECTS):
                    return f"{field.name} is {text[:60]!r} but must be JSON"
    return ""


def _is_json(text: str, of_object: bool) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) or not of_object
