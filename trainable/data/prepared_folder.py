"""A folder of the cache that is prepared once: locked while it is written, whole or absent, and checked before use."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainable.data import shards
from trainable.data.one_at_a_time import one_at_a_time

ABANDONED_SECONDS = 24 * 3600  # so long nothing is written in a half-written folder that anybody still writes
FACTS = "data.json"

Say = Callable[[str], None]
FolderProblem = Callable[[Path], str | None]  # why a folder cannot be used; None where it can


def prepare_folder(folder: Path, write: Callable[[Path, bool], None], say: Say, problem_of: FolderProblem) -> None:
    """See to it that ``folder`` is there and usable: ``write`` fills an empty folder, told whether it is alone."""
    if problem_of(folder) is None:
        return
    with one_at_a_time(folder.parent, folder.name, say) as alone:
        problem = problem_of(folder)  # again: another process may have been first
        if problem is None:
            return
        if folder.exists():
            say(f"the prepared data in {folder} is unusable ({problem}); preparing it again")
        _prepare(folder, write, alone, problem_of)


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write the facts of a prepared folder, last of all: they name each file with its size and digest."""
    files = {path.name: [path.stat().st_size, shards.digest(path)] for path in sorted(folder.iterdir())}
    (folder / FACTS).write_text(json.dumps({**facts, "files": files}, indent=1), encoding="utf-8")


def read_facts(folder: Path) -> dict[str, Any]:
    """The facts of a folder; none where it was not prepared here."""
    try:
        found = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def problem_of_files(folder: Path) -> str | None:
    """Say why a prepared folder cannot be used, or None: each file must have its size and digest as written."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if not (isinstance(facts["text_bytes"], int) and isinstance(facts["empty"], int)):
            return f"{FACTS} counts no bytes"
        for name, (size, digest) in facts["files"].items():
            path = folder / name
            if path.stat().st_size != size or shards.digest(path) != digest:
                return f"{name} is not as it was written"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return f"{FACTS} cannot be read: {error!r}"
    return None


def _prepare(folder: Path, write: Callable[[Path, bool], None], alone: bool, problem_of: FolderProblem) -> None:
    """Fill ``folder`` by way of a folder beside it that is renamed when all is written.

    Older half-written folders are removed: all of them where the caller holds the lock (``alone``), else those in which
    nothing was written for long, since another process may be writing there.
    """
    for left_over in folder.parent.glob(f"{folder.name}.partial-*"):
        if alone or time.time() - _last_written(left_over) > ABANDONED_SECONDS:
            shutil.rmtree(left_over, ignore_errors=not alone)
    partial = folder.with_name(f"{folder.name}.partial-{uuid.uuid4().hex[:8]}")
    partial.mkdir()
    try:
        write(partial, alone)
        _put_in_place(partial, folder, problem_of)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put_in_place(partial: Path, folder: Path, problem_of: FolderProblem) -> None:
    """Rename a prepared folder to its name; where another process has put a whole one there meanwhile, that stays."""
    if folder.exists() and problem_of(folder) is not None:
        with suppress(FileNotFoundError):  # another process has moved it
            folder.rename(partial / "replaced")  # readers that have it mapped keep their files
            shutil.rmtree(partial / "replaced")
    try:
        partial.rename(folder)
    except OSError:
        if problem_of(folder) is not None:
            raise


def _last_written(folder: Path) -> float:
    """Return when something in a folder was written last (seconds since 1970); now where it is being removed."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return time.time()
