"""A part as it was read, kept as long as it is the same file."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pyarrow as pa
from storage.location import Location

PartIdentity = tuple[int, int, int]


@dataclass(frozen=True)
class KeptPart:
    """Rows of a part, and the last change that it has."""

    identity: PartIdentity | None  # of the file, looked at before it was read
    through: int
    rows: pa.Table


def part_identity(file: Location) -> PartIdentity | None:
    """Tell this content of a part from any other: it is only ever replaced. None where nobody can."""
    try:
        found = os.stat(f"{file}")
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
