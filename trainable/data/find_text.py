"""Files of text under a path: which of them are read, and what else is there, counted.

What is harmless is left out and said: hidden names, empty files, other endings, a link back to a folder above. What may
be text that nobody would get is an error: a link to nothing, a pipe, a folder that cannot be read. So is what is no
kept file: a link into /proc would put this process's environment into the text.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = (".txt", ".md", ".jsonl", ".parquet")
PACKED = (".gz", ".zst", ".bz2", ".xz", ".zip", ".tar", ".tgz")
SMALL = "; endings are told by small letters: rename what is to be read"
DEEPEST = 200  # folders below the one that is given
KERNEL = ("/proc", "/sys")  # files that are made up as they are read, about the machine and this very process
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_COPY = "remove it, or copy into a file what is to be learnt"


@dataclass
class Found:
    """Text files below a folder, and how many names of each kind were left out."""

    files: list[Path] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def ignored(self) -> str:
        """Describe what was left out, in words; empty where nothing was."""
        return ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.left_out.items()))


def check_file(path: Path) -> None:
    """Raise a ValueError unless a single file can be read as text by its kind and ending."""
    _check_kind(path, path.stat())
    _check_kept(path)
    if path.suffix not in SUFFIXES:
        hint = "; give the folder that holds the shards" if path.suffix == ".bin" else ""
        hint = "; unpack it first" if path.suffix in PACKED else hint
        hint = SMALL if path.suffix.lower() in SUFFIXES else hint
        ending = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        raise ValueError(f"{path} {ending} but text is read from {', '.join(SUFFIXES)}{hint}")


def below(folder: Path) -> Found:
    """The text files at any depth, links followed; a ValueError names what cannot be looked at."""
    found = Found()
    _walk(folder, found, above=())
    if not found.files:
        hint = ": unpack them first" if any(kind in PACKED for kind in found.left_out) else ""
        hint = SMALL if any(kind.lower() in SUFFIXES for kind in found.left_out) else hint
        kinds = ", ".join(SUFFIXES)
        raise ValueError(
            f"{folder} holds no text ({kinds}) and no token shards (*_train_*.bin); it holds "
            f"{found.ignored or 'nothing'}{hint}"
        )
    return found


def _walk(folder: Path, found: Found, above: tuple[tuple[int, int], ...]) -> None:
    try:
        at = folder.stat()
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise ValueError(f"{folder} cannot be read: {error.strerror}") from None
    _check_kept(folder)
    if len(above) > DEEPEST:
        raise ValueError(f"{folder} lies more than {DEEPEST} folders deep")
    here = (at.st_dev, at.st_ino)
    if here in above:
        found.left_out["link back to a folder above"] += 1
        return
    for name in names:
        if name.startswith("."):
            found.left_out["hidden"] += 1
        else:
            _take(folder / name, found, (*above, here))


def _take(path: Path, found: Found, above: tuple[tuple[int, int], ...]) -> None:
    try:
        at = path.stat()
    except OSError as error:
        why = "is a link to nothing" if os.path.islink(path) else f"cannot be read: {error.strerror}"
        raise ValueError(f"{path} {why}: remove it, or bring what it stands for") from None
    if stat.S_ISDIR(at.st_mode):
        _walk(path, found, above)
    elif path.suffix not in SUFFIXES:
        found.left_out[path.suffix or path.name] += 1
    else:
        _check_kind(path, at)
        if at.st_size:
            found.files.append(path)
        else:
            found.left_out["empty"] += 1


def _check_kind(path: Path, at: os.stat_result) -> None:
    for is_kind, words in _KINDS:
        if is_kind(at.st_mode):
            raise ValueError(f"{path} is {words}, not a file: text is read several times over")
    if path.is_symlink():
        _check_kept(path)
    if at.st_size == 0 and _gives_bytes(path):
        raise ValueError(f"{path} says that it is empty and gives bytes, so it is no kept file: {_COPY}")


def _check_kept(path: Path) -> None:
    """Raise a ValueError for what the kernel makes up (procfs, sysfs): read again, it is another text."""
    real = os.path.realpath(path)
    if any(real == kernel or real.startswith(f"{kernel}/") for kernel in KERNEL):
        stands = f"{path} stands for {real}, which" if real != os.path.abspath(path) else f"{path}"
        raise ValueError(f"{stands} is made by the kernel as it is read, no kept file: {_COPY}")


def _gives_bytes(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return bool(file.read(1))
    except OSError:
        return False
