"""A user's own code in a campaign: files and modules given by ``--import`` or ``--space FILE``, or with a Space object.

They are read and executed here, sent to workers with every trial, and kept in the campaign's folder (``sources/``) with
their SHA-256 in ``campaign.json``. What a folder holds is never executed because it is there: a resume asks for the
same files again, or for the user's word (``--trust-sources``).
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from results.store.campaign_folder import Store
from search_spaces.domains import Choice
from search_spaces.own_space import load_all, opened_space, read_sources, space_of, spaces_in
from search_spaces.space import Space
from storage import files, inside
from storage.location import Location
from trainable.component import Component
from trainable.own import modules as own_modules
from trainable.own import source as own_source
from trainable.own.source import Source
from tuner.campaign import again
from tuner.command import Resume
from tuner.question import Question
from tuner.spec import CampaignSpec


def brought(
    spec: CampaignSpec, space: Space | None, known: Sequence[Source] = ()
) -> tuple[CampaignSpec, Space, tuple[Source, ...]]:
    """The spec with names and digests in place of files, its space, and the sources, which are loaded.

    ``space`` is one given from Python: the modules that define its components come along. ``known`` are sources that an
    earlier campaign of this process has brought.
    """
    sources = [*known, *read_sources(spec.imports)]
    found = space or opened_space(spec.space, sources)
    sources += _sources_of(found, sources)
    load_all(sources)
    return replace(spec, space=found.name, imports=tuple(source.identity for source in sources)), found, tuple(sources)


def check_sent(question: Question) -> None:
    """Raise a ValueError for a component that the question may train and no worker would know."""
    known = {module for source in question.sources for module in source.modules}
    configs = [question.base, *(planned.config for planned in question.planned)]
    for cls in _classes([question.space, *configs]):
        if cls.__module__.partition(".")[0] != "trainable" and cls.__module__ not in known:
            file = f"{cls.__module__.replace('.', '/')}.py"
            raise ValueError(f"{cls.__name__} is of {cls.__module__}, which no worker has: give --import {file}")


# --- a campaign's -----------------------------------------------------------------------------------------------------


def of_campaign(store: Store, asked: Resume, space: Space | None) -> tuple[Source, ...]:
    """The sources that a campaign was begun with, loaded: those given again, or with the user's word those kept.

    A ValueError where one is missing, is another, or was never the campaign's.
    """
    name, recorded = store.folder.name, dict(text.split("@") for text in store.campaign.get("imports", ()))
    given = read_sources(asked.changes.get("imports", ()))
    if asked.space is not None and own_source.is_file_name(asked.space):
        given += [source for source in [own_source.read(asked.space)] if source not in given]
    given += [] if space is None else _sources_of(space, given)
    for source in given:
        if source.name not in recorded:
            began = f"it has {', '.join(sorted(recorded))}" if recorded else "it has none of its own"
            raise ValueError(f"campaign {name!r} was begun without {source.file} ({began}): start a new one")
    by_name = {source.name: source for source in (*own_modules.loaded(), *given)}
    if recorded and not asked.trust_sources:
        _check_all_given(store.folder, recorded, {source.name for source in given})
    found = [_same(store.folder, each, digest, by_name, given) for each, digest in recorded.items()]
    own_modules.load(found)
    _find_space(store.campaign["space"], found)
    if found:
        again.TRUSTED.add(str(store.folder))
    return tuple(found)


def _check_all_given(folder: Location, recorded: dict[str, str], given: set[str]) -> None:
    """Raise a ValueError for a source that the user has given neither now nor to an earlier campaign here."""
    missing = [name for name, digest in recorded.items() if name not in given and not _is_loaded(name, digest)]
    if missing:
        names = " ".join(f"--import {file_of(name)}" for name in missing)
        raise ValueError(
            f"campaign {folder.name!r} runs code of its own: give the same again ({names}), or look at what is kept in "
            f"{folder / own_source.FOLDER} and say --trust-sources to run that"
        )


def _is_loaded(name: str, digest: str) -> bool:
    return any((source.name, source.digest) == (name, digest) for source in own_modules.loaded())


def _same(folder: Location, name: str, digest: str, known: dict[str, Source], given: Sequence[Source]) -> Source:
    """The source with that digest: given, loaded in this process already, or kept."""
    source = known.get(name)
    if source is not None and source.digest == digest:
        return source
    if source in given:
        assert source is not None
        raise ValueError(
            f"campaign {folder.name!r} was begun with another {source.file} (SHA-256 {digest[:12]}..., kept in "
            f"{folder / own_source.FOLDER}; this one is {source.digest[:12]}...): give that one, or "
            "start a new campaign"
        )
    found = kept(folder, name)
    if found.digest != digest:
        raise ValueError(
            f"{folder / own_source.FOLDER / file_of(name)} is not what the campaign was begun with: it was changed"
        )
    return found


def _find_space(name: str, sources: Iterable[Source]) -> None:
    """Let the campaign's space be found by its name, where one of the sources defines it."""
    for source in sources:
        if any(space.name == name for space in spaces_in(source).values()):
            space_of(source)


def keep(folder: Location, sources: Iterable[Source]) -> None:
    """Write the sources into a campaign's folder that this process holds."""
    for source in sources:
        for path, text in source.files.items():
            inside.write(folder, f"{own_source.FOLDER}/{path}", text.encode())
        again.TRUSTED.add(str(folder))


def kept(folder: Location, name: str) -> Source:
    """The source of that name as a campaign's folder keeps it; a ValueError where it is not there."""
    top = name.partition(".")[0]
    paths = (
        [f"{top}.py"]
        if files.is_file(folder / own_source.FOLDER / f"{top}.py")
        else list(_paths(folder / own_source.FOLDER, top))
    )
    if not paths:
        raise ValueError(f"{folder / own_source.FOLDER} holds no {top!r}: give the file by --import")
    try:
        texts = {path: files.read(folder / own_source.FOLDER / path, own_source.FILE_BYTES).decode() for path in paths}
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{folder / own_source.FOLDER / file_of(name)} cannot be read: {error}") from None
    return Source(name, texts)


def _paths(folder: Location, inner: str, depth: int = 8) -> Iterator[str]:
    """The files of a package that is kept, by paths below ``folder``."""
    for name in files.names(folder / inner)[: own_source.MOST_FILES]:
        if name.endswith(".py"):
            yield f"{inner}/{name}"
        elif depth:
            yield from _paths(folder, f"{inner}/{name}", depth - 1)


def file_of(name: str) -> str:
    """The file, or the folder of the package, that a recorded source is kept as."""
    top, inner, _ = name.partition(".")
    return top if inner else f"{top}.py"


# --- sources of what is given -----------------------------------------------------------------------------------------


def _sources_of(space: Space, given: Sequence[Source]) -> list[Source]:
    """The sources that define components of a space and are not among those ``given``."""
    known = {module for source in given for module in source.modules}
    by_module = {module: source for source in own_modules.loaded() for module in source.modules}
    found: list[Source] = []
    for cls in _classes([space]):
        module = cls.__module__
        if module.partition(".")[0] == "trainable" or module in known:
            continue
        source = by_module.get(module) or _source_of_class(cls)
        found.append(source)
        known |= source.modules.keys()
    return found


def _source_of_class(cls: type[Component]) -> Source:
    """The file in which a class that was imported in Python is defined."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if cls.__module__ == "__main__" or file is None:
        raise ValueError(
            f"{cls.__name__} is defined in {cls.__module__}, which no worker has: put it into a file of its own and "
            "give that by --import"
        )
    return own_source.read(cls.__module__ if "." in cls.__module__ else str(file))


def _classes(given: Iterable[Any]) -> list[type[Component]]:
    """The classes of all components in spaces and configs, by name."""
    found: dict[str, type[Component]] = {}
    waiting = list(given)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Space):
            waiting += [scale.base for scale in node.scales.values()]
            waiting += [
                o for knob in node.knobs if isinstance(knob.domain, Choice) for o in knob.domain.options.values()
            ]
        elif isinstance(node, tuple):
            waiting += node
        elif isinstance(node, Component):
            found[type(node).__name__] = type(node)
            waiting += [getattr(node, f.name) for f in dataclasses.fields(node)]
    return [found[name] for name in sorted(found)]
