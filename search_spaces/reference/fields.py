"""One field of a component in words: its type, its range, its default, and what the comment beside it says."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import io
import json
import re
import textwrap
import tokenize
from typing import Any

from trainable import component_fields
from trainable.component import Component
from trainable.component_fields import accepted, hints_of
from trainable.ranges import MOST_COUNT, ranges

from search_spaces.reference.markdown import EMPTY_CELL, code_span, inline


def type_in_words(cls: type[Component], name: str) -> str:
    """``whole number or null``, ``list of hooks``."""
    return " or ".join(component_fields.words_of_type(hint) for hint in accepted(hints_of(cls)[name]))


def range_in_words(cls: type[Component], name: str) -> str:
    """The rule of the field's values as the error for a wrong one has it; escaped."""
    within = ranges(cls).get(name)  # type: ignore[arg-type]  # as in component_fields.py
    if within is not None:
        return _LONG.sub(_shorter, inline(str(dataclasses.replace(within, nullable=False))))
    return inline(_rule_of_text(cls, name)) if hints_of(cls)[name] is str else EMPTY_CELL


_LONG = re.compile(r"\d{1,3}(?:,\d{3}){3,}")  # a billion and more


def _shorter(number: re.Match[str]) -> str:
    value = int(number[0].replace(",", ""))
    return "2^62" if value == MOST_COUNT else f"{value:g}".replace("e+", "e")


def _rule_of_text(cls: type[Component], name: str) -> str:
    """The rule by which a component refuses a text that can mean nothing."""
    for senseless in ("?", ""):
        try:
            dataclasses.replace(cls.example(), **{name: senseless})
        except ValueError as error:
            rule, _, known = str(error).partition(" but must be ")[2].partition(": valid ")
            assert rule, error
            return f"one of {known.partition(': ')[2]}" if rule == "a known one" else rule
    return EMPTY_CELL


def default_in_words(field: dataclasses.Field[Any]) -> str:
    """A default as it is typed on the command line."""
    assert field.default_factory is dataclasses.MISSING, field.name
    return "to be given" if field.default is dataclasses.MISSING else value_in_words(field.default)


def value_in_words(value: Any) -> str:
    """A value as it is typed on the command line; a fraction without end is rounded, and said to be."""
    if isinstance(value, Component):
        own = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if getattr(value, f.name) != f.default}
        settings = ", ".join(f"{name} {value_in_words(inner)}" for name, inner in own.items())
        return code_span(type(value).__name__) + (f" ({settings})" if settings else "")
    if isinstance(value, float) and len(repr(value)) > 12:
        return f"about {code_span(f'{value:.4g}')}"
    if isinstance(value, float):
        return code_span(f"{value:g}" if float(f"{value:g}") == value else repr(value))
    if isinstance(value, tuple) and any(isinstance(member, Component) for member in value):
        return ", ".join(value_in_words(member) for member in value)
    return code_span(value if isinstance(value, str) else json.dumps(value))


def comments(cls: type[Component]) -> dict[str, str]:
    """Field -> the comment at its line or right above it, of the class and of those it inherits from."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        if dataclasses.is_dataclass(base):
            own = _own_comments(textwrap.dedent(inspect.getsource(base)))
            found |= {name: said for name, said in own.items() if said}
    return found


def _own_comments(source: str) -> dict[str, str]:
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    said = {t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT}
    alone = {t.start[0] for t in tokens if t.type == tokenize.COMMENT and not t.line[: t.start[1]].strip()}
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            first = node.lineno
            while first - 1 in alone:
                first -= 1
            lines = range(first, (node.end_lineno or node.lineno) + 1)
            found[node.target.id] = " ".join(said[n] for n in lines if n in said and not _of_a_tool(said[n]))
    return found


def _of_a_tool(comment: str) -> bool:
    return comment.startswith(("type:", "noqa", "fmt:"))
