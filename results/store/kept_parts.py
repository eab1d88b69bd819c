"""Parts as they were read, each kept as long as it is the same file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from storage.location import Location

from results.store.names import part_number
from results.store.row_kinds import RowKind

PartIdentity = tuple[int, int, int]
FileRead = tuple[str, pa.Table | ValueError]  # the key of a file, and its rows or why it cannot be read


@dataclass(frozen=True)
class KeptPart:
    """Rows of a part, and the last change that it has."""

    identity: PartIdentity | None  # of the file, looked at before it was read
    through: int
    rows: pa.Table


class KeptParts:
    """Parts of one campaign; ``through`` has the last change that each had when it was read, and is kept up to date."""

    def __init__(self, through: dict[tuple[RowKind, int], int]) -> None:
        self._through = through
        self._kept: dict[tuple[RowKind, str], KeptPart] = {}

    def each(
        self,
        dataset: RowKind,
        files: Mapping[str, Location],
        read: Callable[[Sequence[str]], Iterator[FileRead]],
    ) -> Iterator[FileRead]:
        """Each of ``files`` by its name; ``read`` reads those that are not kept."""
        now = {name: part_identity(file) for name, file in files.items() if part_number(name) is not None}  # before
        known = {
            name for name in now if (one := self._kept.get((dataset, name))) and one.identity == now[name] is not None
        }
        fresh = read([name for name in files if name not in known])
        for name in files:
            part = part_number(name)
            if name in known and part is not None:
                found: pa.Table | ValueError = self._kept[dataset, name].rows
                self._through[dataset, part] = self._kept[dataset, name].through
            else:
                _, found = next(fresh)
                if part is not None and not isinstance(found, ValueError):
                    self._kept[dataset, name] = KeptPart(now[name], self._through[dataset, part], found)
            yield name, found


def part_identity(file: Location) -> PartIdentity | None:
    """Tell this content of a part from any other: it is only ever replaced. None where nobody can."""
    try:
        found = os.stat(f"{file}")
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
