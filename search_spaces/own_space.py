"""Spaces of a user's own: the one object of that class in a file, and the code that it and its overrides need."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from trainable.own import modules as own_modules
from trainable.own import source as own_source
from trainable.own.modules import line_of
from trainable.own.source import Source, imported_values

from search_spaces import catalogue
from search_spaces.space import Space


def read_sources(texts: Iterable[str]) -> list[Source]:
    """The sources that files and modules are; a ValueError, one line, for what is none, and for one given twice."""
    found: dict[str, Source] = {}
    for text in texts:
        source = own_source.read(text)
        if (same := next((other for other, known in found.items() if known == source), None)) is not None:
            whose = "" if same == text else f", as {same!r} before"
            raise ValueError(f"{text!r} is given twice{whose}: once is enough")
        found[text] = source
    return list(found.values())


def load_all(sources: Sequence[Source]) -> None:
    """Execute what a user has given; a ValueError, one line with file and line, for what cannot be."""
    if sources:
        own_modules.check_free(sources)
        own_modules.load(sources)


def looked_at(text: str, imports: Sequence[str]) -> Space:
    """The space of a name or a file, to be shown; with the components of ``imports``."""
    return opened_space(text, read_sources(imports))


def opened_space(text: str, sources: list[Source]) -> Space:
    """The space of a name or a file; the file's source is added to ``sources``, all of which are loaded."""
    if not own_source.is_file_name(text):
        load_all(sources)
        return catalogue.load(text)
    source = own_source.read(text)
    if source not in sources:
        sources.append(source)
    load_all(sources)
    return space_of(source)


def space_of(source: Source) -> Space:
    """The one space that a loaded source defines, which ``catalogue.load`` finds by its name from then on.

    A ValueError, with file and line, where there is none, where there are two, and for a name that is taken.
    """
    found = spaces_in(source)
    if not found:
        raise ValueError(f"{source.file}, line 1: it defines no Space (SPACE = Space(name=..., ...))")
    if len(found) > 1:
        (first, one), (second, two) = list(found.items())[:2]
        line = line_of(source, source.file, second)
        both = f"{first} ({one.name!r}) and {second} ({two.name!r})"
        raise ValueError(f"{source.file}, line {line}: two Spaces, {both}: a file has one")
    ((variable, space),) = found.items()
    try:
        catalogue.add(space)
    except ValueError as error:
        raise ValueError(f"{source.file}, line {line_of(source, source.file, variable)}: {error}") from None
    return space


def spaces_in(source: Source) -> dict[str, Space]:
    """Variable -> each space that the module defines, not those that it imports."""
    imported = imported_values(source, source.file)
    found: dict[str, Space] = {}
    for name, value in vars(sys.modules[source.name]).items():
        is_one = issubclass(type(value), Space)  # not isinstance, which asks the value
        if is_one and name not in imported and not any(value is other for other in found.values()):
            found[name] = value
    return found
