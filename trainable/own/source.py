"""Source code of a user's own, as plain data: read from a file or a module here, kept with a campaign, sent to workers.

A source is one file, or all ``.py`` files of a package. Its text is what is executed everywhere, so that a worker needs
no file, and its SHA-256 says which one a campaign was begun with. Nothing here executes it.
"""

from __future__ import annotations

import ast
import hashlib
import keyword
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from storage.location import absolute, local
from terminal.counted import counted
from terminal.nearest import nearest

FOLDER = "sources"  # in a campaign's, where its own are kept
FILE_BYTES = 256 * 1024  # of one file
MOST_BYTES = 1024 * 1024  # of all that a campaign brings: it travels with every trial
MOST_FILES = 200
MOST_NAMES = 1000  # of files that are looked through for the nearest name
OUR_PACKAGES = ("trainable", "search_spaces", "tuner", "results", "storage", "terminal")


@dataclass(frozen=True)
class Source:
    """One module with the files that it needs."""

    name: str  # of the module that is imported: my_tricks, or my_project.tricks
    files: Mapping[str, str]  # path, as my_tricks.py or my_project/tricks.py -> text

    @property
    def top(self) -> str:
        """The first name of the module: of the file, or of the package."""
        return self.name.partition(".")[0]

    @property
    def digest(self) -> str:
        """The SHA-256 of the names and texts of all files, in hex."""
        return _digest(part for path in sorted(self.files) for part in (path, self.files[path]))

    @property
    def identity(self) -> str:
        """Return what ``campaign.json`` keeps of it: name and digest."""
        return f"{self.name}@{self.digest}"

    @property
    def file(self) -> str:
        """The path of the file that is the module."""
        path = self.name.replace(".", "/")
        return f"{path}.py" if f"{path}.py" in self.files else f"{path}/__init__.py"

    @property
    def modules(self) -> dict[str, str]:
        """Module -> the path of its file, for all files."""
        return {module_of(path): path for path in sorted(self.files)}

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "files": dict(self.files)}

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Source:
        return cls(data["name"], dict(data["files"]))


LOADED: dict[str, Source] = {}  # in this process (own/modules.py), by the first name of the module


def module_of(path: str) -> str:
    """The module that a file of a source is."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def fingerprints(sources: Iterable[Source]) -> dict[str, str]:
    """Module -> 16 hex digits of what decides its behaviour: its source, and those of the others that it imports."""
    known = {source.top: source for source in sources}
    found: dict[str, str] = {}
    for source in known.values():
        fingerprint = _digest(one.identity for one in with_imports([source.top], known))[:16]
        found |= dict.fromkeys(source.modules, fingerprint)
    return found


def with_imports(names: Iterable[str], known: Mapping[str, Source]) -> list[Source]:
    """The sources among ``known`` (by the first name of their module) with these names, and all that they import."""
    waiting = [name for name in names if name in known]
    found = set(waiting)
    while waiting:
        others = (imported_names(known[waiting.pop()]) & known.keys()) - found
        found |= others
        waiting += others
    return [known[name] for name in sorted(found)]


def imported_names(source: Source) -> set[str]:
    """The first names of all modules that any file of a source imports."""
    return {name for path in source.files for name, _ in imports_of(source, path)}


def imports_of(source: Source, path: str) -> list[tuple[str, int]]:
    """The first name of each module that a file imports, with the line of the import."""
    found = []
    for node in ast.walk(parsed(source, path)):
        if isinstance(node, ast.Import):
            found += [(alias.name.partition(".")[0], node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module.partition(".")[0], node.lineno))
    return found


def imported_values(source: Source, path: str) -> set[str]:
    """The names that a file binds by imports."""
    nodes = [node for node in ast.walk(parsed(source, path)) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name.partition(".")[0] for node in nodes for alias in node.names}


def parsed(source: Source, path: str) -> ast.Module:
    """The syntax tree of a file; a ValueError with the line where there is none."""
    try:
        return ast.parse(source.files[path], path)
    except SyntaxError as error:
        raise ValueError(f"{path}, line {error.lineno or 1}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{path}, line 1: it cannot be read as Python: {error or 'it is nested too deep'}") from None


# --- where it is read from ------------------------------------------------------------------------------------------


def is_file_name(text: str) -> bool:
    """Tell whether a text is meant as a file, and not as the name of a module or a space."""
    return text.endswith(".py") or "/" in text or os.sep in text or text.startswith("~")


def read(text: str) -> Source:
    """The source that a user names: a ``.py`` file, the folder of a package, or a module that can be imported.

    A ValueError, one line, for what is none of them.
    """
    source = _of_path(local(text)) if is_file_name(text) or (text and Path(text).is_dir()) else _of_module(text)
    check_size([source])
    return source


def check_size(sources: Iterable[Source]) -> None:
    """Raise a ValueError for more than may travel with every trial."""
    texts = [text for source in sources for text in source.files.values()]
    size = sum(len(text.encode()) for text in texts)
    if size > MOST_BYTES or len(texts) > MOST_FILES:
        names = ", ".join(source.name for source in sources)
        raise ValueError(
            f"{names}: {counted(len(texts), 'file')} of {counted(size, 'byte')}, but own sources go to workers with "
            f"every trial: at most {MOST_FILES} files of {MOST_BYTES:,} bytes in all"
        )


def _of_path(path: Path) -> Source:
    if path.is_dir():
        return _of_package(path)
    if not os.path.lexists(path):
        near = [str(path.with_name(name)) for name in files_to_take(path.parent)]
        raise ValueError(f"there is no file {str(path)!r}: {_near_file(str(path), near, path.parent)}")
    _check_ending(path)
    return Source(_module_name(path), {path.name: _text(path)})


def _near_file(name: str, files: list[str], folder: Path) -> str:
    """The nearest of the files of a folder that could be meant; where there are none, what may be given at all."""
    if files:
        return nearest(name, files, f"files in {absolute(folder)}")
    lacks = "has no file of Python" if folder.is_dir() else "is no folder"
    return f"give a .py file, the folder of a package, or a module that can be imported; {absolute(folder)} {lacks}"


def _check_ending(path: Path) -> None:
    if path.suffix != ".py":
        raise ValueError(f"{str(path)!r} is no file of Python: its name must end in .py")


def _of_module(name: str) -> Source:
    top = name.partition(".")[0]
    spec = PathFinder.find_spec(top) if all(part.isidentifier() for part in name.split(".")) else None
    if spec is None or spec.origin is None or top in sys.stdlib_module_names:
        if name and os.path.lexists(name):
            _check_ending(local(name))
        what = "Python's own" if top in sys.stdlib_module_names else "neither a file nor a module that can be imported"
        raise ValueError(f"{name!r} is {what}: {_near_file(name, files_to_take(Path()), Path())}")
    origin = Path(spec.origin)
    try:
        source = _of_package(origin.parent, name) if _is_package(spec) else Source(name, {origin.name: _text(origin)})
        check_size([source])
    except ValueError:
        if not in_site_packages(origin):
            raise
        installed = f"{name!r} is an installed {'package' if _is_package(spec) else 'module'} ({origin})"
        raise ValueError(f"{installed}, which cannot be taken along: give a file of your own") from None
    if source.file not in source.files:
        near = sorted(source.modules)
        raise ValueError(f"package {top!r} has no module {name!r}: {nearest(name, near, 'modules')}")
    return source


def _of_package(folder: Path, name: str | None = None) -> Source:
    """All ``.py`` files of a package, by paths that begin with its own name."""
    found: dict[str, str] = {}
    if not (folder / "__init__.py").is_file():
        raise ValueError(f"{str(folder)!r} is a folder without __init__.py: give a file, or a package")
    name = name or _module_name(folder)
    top, whole = Path(name.partition(".")[0]), Path(os.path.realpath(folder))
    for path in sorted(whole.rglob("*.py")):
        inner = path.relative_to(whole)
        if not any(part.startswith(".") or part == "__pycache__" for part in inner.parts):
            found[(top / inner).as_posix()] = _text(path)
            if len(found) > MOST_FILES:
                raise ValueError(f"package {name!r} has more than {MOST_FILES} files, the most that go to workers")
    return Source(name, found)


def _module_name(path: Path) -> str:
    """The name under which Python would import a file or the folder of a package: that of a link, not of its target."""
    whole = os.path.realpath(path) if path.name in ("", os.pardir) else os.path.abspath(path)
    name = os.path.basename(whole).removesuffix(".py")
    if name in ("__init__", "__main__"):
        raise ValueError(f"{str(path)!r} is a part of a package: give the folder that it is in, {str(path.parent)!r}")
    if not name.isidentifier() or keyword.iskeyword(name):
        close = "".join(letter if letter.isalnum() else "_" for letter in name)
        close = f"my_{close}" if close == name or not close.isidentifier() else close
        raise ValueError(f"{str(path)!r}: {name!r} is no name of a Python module; rename it, as to {close + '.py'!r}")
    return name


def _text(path: Path) -> str:
    """The text of a file, with ends of lines as Python reads them."""
    from storage import files
    from storage.remote import TooLargeError

    try:
        text = files.read(path, FILE_BYTES).decode("utf-8-sig")
    except TooLargeError as error:
        raise ValueError(f"{str(path)!r} cannot be taken along: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{str(path)!r} cannot be read: it is no UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be read: {error.strerror or error}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_package(spec: ModuleSpec) -> bool:
    return spec.submodule_search_locations is not None


def files_to_take(folder: Path) -> list[str]:
    """The names of the files of a folder that could be given, as far as their names and sizes say: for a hint."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".py"))[:MOST_NAMES]
        return [name for name in names if _could_be_taken(folder / name)]
    except OSError:
        return []


def _could_be_taken(path: Path) -> bool:
    try:
        top = _module_name(path)
    except ValueError:
        return False
    what, origin = taken_by(top)
    is_free = not what or (origin and os.path.realpath(origin) == os.path.realpath(path))
    return bool(is_free) and path.is_file() and path.stat().st_size <= FILE_BYTES


def taken_by(top: str) -> tuple[str, str]:
    """Return what has a module's name already, and the file of an installed one; both are empty where none has."""
    if top in sys.stdlib_module_names:
        return "a module of Python's own", ""
    if top in OUR_PACKAGES:
        return "a package of this program", ""
    there = PathFinder.find_spec(top)
    if there is None or there.origin is None or not in_site_packages(Path(there.origin)):
        return "", ""
    return f"an installed module ({there.origin})", there.origin


def in_site_packages(path: Path) -> bool:
    """Tell whether a file lies where packages are installed."""
    return any(part in ("site-packages", "dist-packages") for part in path.parts)


def _digest(parts: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{len(part.encode())}:".encode() + part.encode())
    return whole.hexdigest()
