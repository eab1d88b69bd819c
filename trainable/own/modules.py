"""Executing source code of a user's own: the modules of some sources, and the components that they register.

The text of a source is executed, not a file: on the driver as on workers, which have no file. A source that fails
leaves nothing behind. Whoever calls this has the user's word that the code may run.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import json
import linecache
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import cache_from_source, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from terminal.short import message_of, shortened

from trainable import component
from trainable import config as _config  # noqa: F401  (importing registers our components, whose names are taken)
from trainable.component import Component
from trainable.component_json import decode, encode
from trainable.own.source import (
    LOADED,
    OUR_PACKAGES,
    Source,
    check_size,
    fingerprints,
    imports_of,
    in_site_packages,
    module_of,
    parsed,
    taken_by,
)

LONGEST = 300  # characters of what an exception says, in a message


class _Texts(MetaPathFinder, InspectLoader):
    """Finds and loads the modules of sources that are loaded; ordinary files come after."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, str]] = {}  # module -> path and text

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self.files:
            return None
        return spec_from_loader(name, self, origin=self.files[name][0], is_package=self.is_package(name))

    def is_package(self, name: str) -> bool:
        return self.files[name][0].endswith("__init__.py")

    def get_source(self, name: str) -> str:
        return self.files[name][1]

    def get_code(self, name: str) -> CodeType:
        path, text = self.files[name]
        return compile(text, path, "exec", dont_inherit=True)


_texts = _Texts()


def loaded() -> list[Source]:
    """The sources whose modules are loaded in this process."""
    return list(LOADED.values())


def load(sources: Sequence[Source]) -> list[ModuleType]:
    """Execute the modules of ``sources``, unless the very same are loaded; they are importable by name from then on.

    A ValueError, one line with file and line, for code that fails or registers what cannot be a component; nothing of
    it stays then.
    """
    check_size(sources)
    if (
        any(LOADED.get(source.top) != source for source in sources)
        or fingerprints(sources).items() - component.SOURCES.items()
    ):
        with _all_or_nothing():
            _load(sources)
    return [sys.modules[source.name] for source in sources]


def check_free(sources: Sequence[Source]) -> None:
    """Raise a ValueError for a module that would take another's place, and for one that workers would not have.

    For the driver, before :func:`load`.
    """
    tops = [source.top for source in sources]
    for source in sources:
        if tops.count(source.top) > 1:
            raise ValueError(f"{source.top} is given twice: own files need names of their own")
        if what := _holder(source):
            raise ValueError(f"{source.file} cannot be imported as {source.top!r}, the name of {what}: rename the file")
        for path in source.files:
            for name, line in imports_of(source, path):
                if name not in tops and (beside := _beside(name, source)):
                    raise ValueError(
                        f"{path}, line {line}: it imports {name!r}, which workers would not have: give {beside} too "
                        "(--import)"
                    )


def _holder(source: Source) -> str:
    """The installed module that has the name of a source already; empty where none has."""
    what, origin = taken_by(source.top)
    return "" if origin and _is_same(source, origin) else what


def _beside(name: str, source: Source) -> str:
    """The file of a module that this process has, or finds in the folder that it was started in, and workers do not."""
    if name in LOADED:  # by an earlier campaign of this process
        return LOADED[name].file
    found = PathFinder.find_spec(name)
    if found is None or found.origin is None or name in (source.top, *OUR_PACKAGES):
        return ""
    place, here = Path(found.origin).resolve(), Path.cwd()
    inside = place.is_relative_to(here) and not in_site_packages(place)
    return os.path.relpath(place.parent if place.name == "__init__.py" else place) if inside else ""


def _is_same(source: Source, origin: str | None) -> bool:
    """Tell whether the file of a module is the one that the source was read from: its text is the same."""
    path = f"{source.top}.py" if f"{source.top}.py" in source.files else f"{source.top}/__init__.py"
    try:
        return origin is not None and Path(origin).read_bytes().decode("utf-8-sig").splitlines() == (
            source.files[path].splitlines()
        )
    except (OSError, UnicodeDecodeError):
        return False


def _load(sources: Sequence[Source]) -> None:
    if _texts not in sys.meta_path:
        sys.meta_path.insert(0, _texts)
    known = fingerprints(sources)
    for source in sources:
        _forget(LOADED.get(source.top, source))
        LOADED[source.top] = source
        for path, text in source.files.items():
            _texts.files[module_of(path)] = (path, text)
            linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)  # for tracebacks
    component.SOURCES.update(known)
    for source in sources:
        if not _adopted(source):
            _execute(source)
        _check_components(source)


def _forget(source: Source) -> None:
    """Forget modules that were executed from another text, and what they registered."""
    mine = {name for name in sys.modules if name.partition(".")[0] == source.top and _is_executed(name)}
    for name in mine:
        del sys.modules[name]
    for name in [name for name in _texts.files if name.partition(".")[0] == source.top]:
        del _texts.files[name]
        component.SOURCES.pop(name, None)
    for name, cls in list(component._REGISTRY.items()):
        if cls.__module__ in mine:
            del component._REGISTRY[name]


def _is_executed(name: str) -> bool:
    return getattr(sys.modules[name], "__loader__", None) is _texts


def _adopted(source: Source) -> bool:
    """Tell whether the module has been imported as a file already, as in a notebook: its classes are those to send."""
    module = sys.modules.get(source.name)
    if module is None or _is_executed(source.name):
        return False
    origin = getattr(module, "__file__", None)
    if not _is_same(source, origin) or _is_stale(Path(str(origin))):
        raise ValueError(f"{source.file} was changed since it was imported here: start Python anew")
    return True


def _is_stale(path: Path) -> bool:
    """Tell whether a file was written after it was compiled for its import; False where nothing says so."""
    try:
        head, state = Path(cache_from_source(str(path))).read_bytes()[:16], path.stat()
    except (OSError, NotImplementedError):
        return False
    flags, written, size = (int.from_bytes(head[at : at + 4], "little") for at in (4, 8, 12))
    return flags == 0 and (written, size) != (int(state.st_mtime) & 0xFFFFFFFF, state.st_size & 0xFFFFFFFF)


def _execute(source: Source) -> None:
    for path in source.files:
        parsed(source, path)
    try:
        with _folder_kept(source):
            importlib.import_module(source.name)
    except KeyboardInterrupt:  # the user's
        raise
    except BaseException as error:
        raise ValueError(f"{_place(error, source)}: {_said(error)}") from None
    if not isinstance(sys.modules[source.name], ModuleType):
        raise ValueError(f"{source.file}, line 1: it puts something that is no module in its own place")


@contextmanager
def _folder_kept(source: Source) -> Iterator[None]:
    """Keep the current folder through the block; where it was changed, change it back and raise a ValueError."""
    was = _current_folder()
    try:
        yield
        if _current_folder() != was:
            raise ValueError("it changes the current folder when it is imported, from which relative paths are read")
    finally:
        if was and _current_folder() != was:
            os.chdir(was)


def _current_folder() -> str:
    """Return the current folder's path; empty where it has been removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def place_and_message(error: BaseException) -> str:
    """Return what an exception says, after file and line where code of a user's own has raised it."""
    own = _own_frame(error)
    return f"{'' if own is None else f'{own.filename}, line {own.lineno}: '}{_said(error)}"


def _said(error: BaseException) -> str:
    text = message_of(error)
    if isinstance(error, ModuleNotFoundError):
        return f"{text} (a file of your own: --import it too)"
    if isinstance(error, SystemExit):
        return f"it ends the program ({text or 0}) when it is imported"
    if isinstance(error, SyntaxError):  # its text has file and line, which the place says
        text = " ".join(str(error.msg).split())
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}{f': {text}' if text else ''}"


def _place(error: BaseException, source: Source) -> str:
    """File and line of the innermost frame that is in a file of the user's, or of the text that cannot be compiled."""
    if isinstance(error, SyntaxError) and error.filename in {path for one in loaded() for path in one.files}:
        return f"{error.filename}, line {error.lineno or 1}"
    own = _own_frame(error)
    return f"{source.file}, line 1" if own is None else f"{own.filename}, line {own.lineno}"


def _own_frame(error: BaseException) -> traceback.FrameSummary | None:
    own = {path for one in loaded() for path in one.files}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in own]
    return frames[-1] if frames else None


@contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Keep what the block imports and registers; where it fails, restore modules and components as they were."""
    kept: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (live, dict(live)) for live in (component._REGISTRY, component.SOURCES, LOADED, _texts.files)
    ]
    modules = dict(sys.modules)
    try:
        yield
    except BaseException:
        tops = set(LOADED)
        for live, before in kept:
            live.clear()
            live.update(before)
        for name in [name for name in sys.modules if name.partition(".")[0] in tops and name not in modules]:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in modules.items() if name.partition(".")[0] in tops})
        raise


# --- what they register ---------------------------------------------------------------------------------------------


def components_of(source: Source) -> list[type[Component]]:
    """The components that the modules of a source define, by name."""
    return [cls for cls in component.components() if cls.__module__ in source.modules]


def _check_components(source: Source) -> None:
    for cls in components_of(source):
        path = source.modules[cls.__module__]
        try:
            _check(cls)
        except KeyboardInterrupt:  # the user's
            raise
        except BaseException as error:
            raise ValueError(f"{path}, line {line_of(source, path, cls.__name__)}: {_said(error)}") from None


def _check(cls: type[Component]) -> None:
    """Raise a ValueError unless the class is a component like ours: it has a kind, is frozen, and returns from JSON."""
    if not cls.kind:
        raise ValueError(f"{cls.__name__} is of no kind: derive it from Schedule, Hook, LossTerm, Optimizer, ...")
    if "__dataclass_fields__" not in cls.__dict__:
        raise ValueError(f"{cls.__name__} must be a frozen dataclass: write @dataclass(frozen=True, kw_only=True)")
    for f in dataclasses.fields(cls):
        if not f.kw_only or (f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING):
            raise ValueError(f"{cls.__name__}.{f.name} must be keyword-only, with a default")
    if lacking := [name for name in dir(cls) if getattr(getattr(cls, name), "__isabstractmethod__", False)]:
        raise ValueError(f"{cls.__name__} must define {', '.join(lacking)}")
    neutral, example = cls.neutral(), cls.example()
    for name, given, wanted in (("neutral", neutral, cls | None), ("example", example, cls)):
        if not isinstance(given, wanted):
            raise ValueError(f"{cls.__name__}.{name}() is {shortened(given)} but must be one of its own objects")
    hash(example)
    if decode(json.loads(json.dumps(encode(example)))) != example:
        raise ValueError(f"{cls.__name__}.example() does not come back from JSON: its fields must be plain values")


def line_of(source: Source, path: str, name: str) -> int:
    """The line in which a class or a variable of that name is defined; 1 where none is found."""
    for node in ast.walk(parsed(source, path)):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node.lineno
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return node.lineno
    return 1
