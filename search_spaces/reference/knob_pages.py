"""``docs/knobs/``: a page for each part of a config, a section for each component, a row for each field."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from terminal.counted import counted
from trainable.component import Component
from trainable.config import TrainConfig

from search_spaces.reference.fields import (
    comments,
    default_in_words,
    range_in_words,
    type_in_words,
    value_in_words,
)
from search_spaces.reference.layout import GENERATED, PAGES, PROJECT, Page, page_of
from search_spaces.reference.markdown import (
    EMPTY_CELL,
    anchor,
    code_span,
    first_sentence,
    inline,
    markdown_table,
    prose,
)
from search_spaces.reference.places import Address, addresses, component_options, is_list, product_components
from search_spaces.reference.searched import domain_in_words, searches

TO_ROOT = "../../"  # from docs/knobs
MOST_LISTED = 7  # components that a cell names; of more it says how many there are


def knob_pages() -> dict[str, str]:
    """File below ``docs`` -> its text."""
    return {"knobs/README.md": _text(_index())} | {f"knobs/{p.file}": _text(_page(p)) for p in PAGES}


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


# --- the index --------------------------------------------------------------------------------------------------------

HOW_TO_READ = """
A knob is a field of a config, and its dotted path is its name: `--set optimizer.matrix_lr=0.06` on the command line,
`overrides={"optimizer.matrix_lr": 0.06}` in Python, Optuna's parameter in a search, a column of the results.

- **A component** (a schedule, a model, an optimizer) is chosen by its name and then has its defaults:
  `--set schedule=Tidal --set schedule.min_lr_frac=0.2`.
- **A trick** (a loss term, a hook, a part in a list of a model) is switched on by setting one of its fields:
  `--set hooks.WeightAverage.decay=0.9`. Its other fields then have the values of the column *neutral*.
- **Neutral** is the setting under which a run is the same, bit for bit, as one without the trick. Tests hold that.
- **Range** is what is accepted. It is generous: a value at its end may train badly, but nothing breaks. A value outside
  is refused before anything starts, and so are values that do not go together.
- **Searched by** names the [spaces](../spaces.md) that search a field, and the range that they try.
- **Default** is the component's own. The base config of a space may have another.
- `null` switches a limit or an option off. Lists are typed as JSON: `--set 'schedule.centres=[0.3, 0.6]'`.
- In formulas p is the progress of the run from 0 to 1, m is `min_lr_frac`, and w and g are a weight and its gradient.

`python -m tuner.run --list --space NAME` shows the knobs of a space. A search first checks that each of its knobs
changes the computation. Knobs of your own: [own_components.md](../own_components.md).
"""


def _index() -> Iterator[str]:
    every = product_components()
    fields = sum(len(dataclasses.fields(cls)) for cls in every)
    yield from ("# Every knob", "", GENERATED, "")
    yield f"{counted(len(every), 'component')} with {counted(fields, 'field')}."
    yield from (HOW_TO_READ.rstrip(), "", "## Pages", "")
    yield from markdown_table(
        ("page", "what is there", "components", "fields"),
        [
            (
                f"[{page.title}]({page.file})",
                page.about,
                str(len(page.members)),
                str(sum(len(dataclasses.fields(cls)) for cls in page.members)),
            )
            for page in PAGES
        ],
    )
    for page in PAGES:
        yield from ("", f"## {page.title}", "")
        yield from markdown_table(
            ("component", "kind", "in one line"),
            [(_link(cls, ""), cls.kind or "config", _one_line(cls)) for cls in page.members],
        )


def _one_line(cls: type[Component]) -> str:
    """The first sentence of the module's docstring, which names the idea, where it is about this component alone."""
    return first_sentence(_module_docstring(cls) or inspect.cleandoc(cls.__doc__ or ""))


def _module_docstring(cls: type[Component]) -> str:
    """The docstring of the module if the component is the only one there, else nothing."""
    return sys.modules[cls.__module__].__doc__ or "" if _neighbours(cls) == 1 else ""


def _neighbours(cls: type[Component]) -> int:
    """Count the components, and the kinds of them, that its module defines."""
    kinds = {
        abstract for other in product_components() for abstract in other.__mro__ if abstract.__dict__.get("abstract")
    }
    return sum(other.__module__ == cls.__module__ for other in (*product_components(), *kinds))


# --- a page -----------------------------------------------------------------------------------------------------------


def _page(page: Page) -> Iterator[str]:
    yield from (f"# {page.title}", "", GENERATED, "", f"{page.about} [How to read this](README.md).")
    by_kind: dict[str, list[type[Component]]] = {}
    for cls in page.members:
        by_kind.setdefault(cls.kind, []).append(cls)
    for kind, members in by_kind.items():
        title = heading(kind) if len(members) > 1 and heading(kind) != page.title else ""
        if len(members) > 1:
            yield from _kind(title, members)
        for cls in members:
            yield from _component(cls, "###" if title else "##")


def heading(kind: str) -> str:
    """The heading over the components of a kind."""
    plural = {"init": "initialisations", "mlp": "MLPs", "qkv": "queries, keys and values"}.get(kind, f"{kind}s")
    return plural[0].upper() + plural[1:]


def _kind(title: str, members: Sequence[type[Component]]) -> Iterator[str]:
    """The protocol of a kind, what its modules say that hold several components, and where all of them are set."""
    if title:
        yield from ("", f"## {title}")
    abstract = next(base for base in members[0].__mro__ if base.__dict__.get("kind") == members[0].kind)
    protocol = sys.modules[abstract.__module__].__doc__ if kinds_in(abstract.__module__) == 1 else abstract.__doc__
    yield from ("", *prose(protocol or ""))
    for module in sorted({cls.__module__ for cls in members if _neighbours(cls) > 1} - {abstract.__module__}):
        yield from ("", *prose(sys.modules[module].__doc__ or ""))
    if _set_together(members):
        yield from ("", f"Set at {_places(members[0])}.")


def kinds_in(module: str) -> int:
    """Count the kinds of components that a module defines."""
    classes = [found for found in vars(sys.modules[module]).values() if isinstance(found, type)]
    return sum(cls.__module__ == module and "kind" in cls.__dict__ for cls in classes)


def _set_together(members: Sequence[type[Component]]) -> bool:
    """Tell whether they are choices for the same fields."""
    first = addresses()[members[0].__name__]
    return len(members) > 1 and bool(first) and all(addresses()[cls.__name__] == first for cls in members)


def _component(cls: type[Component], level: str) -> Iterator[str]:
    yield from ("", f"{level} {cls.__name__}", "")
    if docstring := _module_docstring(cls):
        yield from (*prose(docstring), "")
    yield from (*prose(cls.__doc__ or ""), "")
    source = Path(sys.modules[cls.__module__].__file__ or "").relative_to(PROJECT).as_posix()
    yield f"{_where(cls)} Source: [{source}]({TO_ROOT}{source})."
    if not dataclasses.fields(cls):
        yield from ("", "It has no fields.")
        return
    yield from ("", *_fields(cls))


def _where(cls: type[Component]) -> str:
    """The paths at which it is set, if its kind does not say so for all, and an example that switches it on."""
    if cls is TrainConfig:
        return "It is the whole config: its fields are set by their own names."
    together = _set_together([other for other in page_of(cls).members if other.kind == cls.kind])
    return f"{'' if together else f'Set at {_places(cls)}.'} {_example(cls)}".strip()


def _places(cls: type[Component]) -> str:
    first, *others = [_place(path, holders) for path, holders in _by_path(addresses()[cls.__name__]).items()]
    return first + (f", and at {', '.join(others)}" if others else "")


def _place(path: str, holders: Sequence[str]) -> str:
    return code_span(path) + ("" if holders == [TrainConfig.__name__] else f" of {' or '.join(holders)}")


def _by_path(places: Sequence[Address]) -> dict[str, list[str]]:
    """Path -> the classes that have such a field."""
    found: dict[str, list[str]] = {}
    for place in places:
        if place.holder not in found.setdefault(place.path, []):
            found[place.path].append(place.holder)
    return found


def _example(cls: type[Component]) -> str:
    """A command's words that switch it on, as its contract tests do."""
    place = addresses()[cls.__name__][0]
    path = place.path
    if place.member:
        return f"For example `{' '.join(f'--set {p}={v}' for p, v in switched_on(cls, path).items())}`."
    chosen = cls.kind and not _only_choice(cls)
    return f"Chosen by `--set {path}={cls.__name__}`." if chosen else ""


def switched_on(cls: type[Component], path: str) -> Mapping[str, str]:
    """Path -> value as typed, of the fields in which the example differs from the neutral setting, or the defaults."""
    example, neutral = cls.example(), cls.neutral()
    names = [f.name for f in dataclasses.fields(cls)]
    if neutral is not None:
        names = [name for name in names if getattr(example, name) != getattr(neutral, name)]
    return {f"{path}.{name}": value_in_words(getattr(example, name)).strip("`") for name in names}


def _only_choice(cls: type[Component]) -> bool:
    return len(product_components(cls.kind)) == 1


def _fields(cls: type[Component]) -> list[str]:
    """The table of a component's fields."""
    neutral, said = cls.neutral(), comments(cls)
    places = addresses()[cls.__name__]
    prefix = f"{places[0].path}." if places and places[0].path else ""
    rows = []
    for field in dataclasses.fields(cls):
        off = EMPTY_CELL if neutral is None else value_in_words(getattr(neutral, field.name))
        rows.append(
            (
                code_span(prefix + field.name),
                type_in_words(cls, field.name),
                _options(cls, field.name) or range_in_words(cls, field.name),
                default_in_words(field),
                off,
                inline(said.get(field.name, "")),
                _searched(cls, field.name),
            )
        )
    return markdown_table(("path", "type", "range", "default", "neutral", "meaning", "searched by"), rows)


def _options(cls: type[Component], field: str) -> str:
    """The components that a field takes, with links."""
    choices = component_options(cls, field)
    at = page_of(cls).file
    if len(choices) > MOST_LISTED:
        page = page_of(choices[0])
        target = f"{'' if page.file == at else page.file}#{anchor(page.title)}"
        return f"{'any' if is_list(cls, field) else 'one'} of [{len(choices)} {choices[0].kind}s]({target})"
    if len(choices) > 1:
        return ("any of " if is_list(cls, field) else "") + ", ".join(_link(choice, at) for choice in choices)
    return "".join(f"the fields of {_link(choice, at)}" for choice in choices)


def _link(cls: type[Component], at: str) -> str:
    """A link to a component's section from the file ``at``."""
    file = page_of(cls).file
    return f"[{cls.__name__}]({'' if file == at else file}#{anchor(cls.__name__)})"


def _searched(cls: type[Component], field: str) -> str:
    found = searches().get((cls.__name__, field), ())
    return "<br>".join(f"[{s.space}](../spaces/{s.space}.md): {domain_in_words(s.knob.domain)}" for s in found)
