"""The size of the code that a run needs, which counts against the limit of an artifact.

Counted are the files of ``train.py``, of every component in the config, and of what these import from this package, as
they are written. Not counted are the lists in the packages' ``__init__`` files, which exist to find what a run does not
need, and the third-party libraries, as in the competition.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trainable.component import Component
from trainable.own.source import LOADED, with_imports

PACKAGE = __name__.partition(".")[0]


def source_bytes(config: Component) -> int:
    """Bytes (UTF-8, comments included) of the files of this package, and of a user's own, that ``config`` needs."""
    files = sum(len(path.read_bytes()) for path in needed_files(config))
    return files + sum(len(text.encode()) for text in _own_texts(config))


def needed_files(config: Component) -> list[Path]:
    """The files of this package that are counted, sorted."""
    waiting = [f"{PACKAGE}.train", *(type(c).__module__ for c in _components(config))]
    waiting += [name for text in _own_texts(config) for name in _imported(ast.parse(text))]
    found: dict[str, Path] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] != PACKAGE or _is_package(name):
            continue
        found[name] = _file(name)
        waiting += _imported(ast.parse(found[name].read_text(encoding="utf-8")))
    return sorted(found.values())


def _own_texts(config: Component) -> list[str]:
    """The texts of a user's own that define components of ``config``."""
    tops = {type(c).__module__.partition(".")[0] for c in _components(config)}
    return [text for source in with_imports(tops, LOADED) for text in source.files.values()]


def _components(node: Any) -> Iterator[Component]:
    if isinstance(node, tuple):
        for member in node:
            yield from _components(member)
    elif isinstance(node, Component):
        yield node
        for f in dataclasses.fields(node):
            yield from _components(getattr(node, f.name))


def _imported(node: ast.AST) -> Iterator[str]:
    """Modules of this package that some code imports when it runs, wherever the import stands."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == PACKAGE:
        yield from (_home(node.module, alias.name) for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imported(child)


def _home(module: str, name: str) -> str:
    """The module that ``from module import name`` needs."""
    if not _is_package(module):
        return module
    value = getattr(importlib.import_module(module), name, None)
    return str(getattr(value, "__module__", f"{module}.{name}"))


def _is_package(name: str) -> bool:
    spec = find_spec(name)
    return spec is not None and spec.submodule_search_locations is not None


def _file(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None, f"{name} has no file"
    return Path(spec.origin)
