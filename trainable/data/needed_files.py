"""Published files that a data set is made of: how many and how large, and which of them are here already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from terminal.counted import counted
from terminal.size import size

from trainable.data.hub import HubFile


@dataclass(frozen=True)
class NeededFiles:
    """The files that one preparation reads, as far as that is known before it."""

    files: tuple[HubFile, ...]
    num_bytes: int
    is_exact: bool = True  # else their contents tell how many they are

    def words(self, root: Path | None = None) -> str:
        """Say how many they are and how large; below ``root`` also how many of them are here."""
        about = "" if self.is_exact else "about "
        there = 0 if root is None else self.num_here(root)
        here = "" if not there else ", all of them here" if there == len(self.files) else f", {there:,} of them here"
        return f"{about}{counted(len(self.files), 'file')}, {size(self.num_bytes)}{here}"

    def num_here(self, root: Path) -> int:
        """Count those that were downloaded below ``root``; they are not looked into."""
        return sum((root / file.path).is_file() for file in self.files)

    def lacking(self, root: Path, prepared: str = "") -> str:
        """Say what happens first, by the files that are here, and if that needs a network; ``prepared`` is "prepared "
        of what is made of the files."""
        there = self.num_here(root)
        if there == len(self.files):
            unless = "" if self.is_exact else " unless these files give too little"
            return (
                f"is downloaded but not {prepared}on this machine yet: that comes first, and needs no network{unless}"
            )
        if there:
            return (
                f"is not {prepared}on this machine yet: the files that lack are downloaded first, which needs a network"
            )
        return f"is not {prepared}on this machine yet: it is downloaded first, which needs a network"
