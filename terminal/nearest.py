"""The hint "did you mean" of an error message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

FEW = 8  # names that are listed rather than guessed at: what is only a little like one may mean another
NEAR, ALIKE = 0.65, 0.5  # of two texts, by difflib: a slip of the fingers, and something in common


def nearest(name: object, valid: Iterable[str], what: str) -> str:
    """The end of an error message: the closest valid name, or the list of all of them.

    Of a few names only one that is really near is suggested.
    """
    names = sorted(valid)
    if (
        isinstance(name, str)
        and (close := really_near(name, names) if len(names) <= FEW else closest(name, names)) is not None
    ):
        return f"did you mean {close!r}?"
    return f"valid {what}: {', '.join(names)}" if names else f"there are no {what}"


def rule_of_names(value: object, valid: Iterable[str]) -> str:
    """The rule "one of a, b, c" of an error message, and the closest of them if any is: none is listed twice."""
    names = list(valid)
    hint = really_near(value, sorted(names)) if isinstance(value, str) else None
    return f"one of {', '.join(names)}" + ("" if hint is None else f": did you mean {hint!r}?")


def closest(name: str, names: Sequence[str], alike: float = ALIKE) -> str | None:
    """The most similar name, if any is: first of all the same in other letters' case."""
    same = [n for n in names if n.lower() == name.lower()]
    return next(iter(same or difflib.get_close_matches(name, names, n=1, cutoff=alike)), None)


def really_near(name: str, names: Sequence[str]) -> str | None:
    """The one name that this is a slip of, or the beginning of; None where that is not plain."""
    begun = [n for n in names if n.startswith(name)]
    return begun[0] if len(begun) == 1 and len(name) > 2 else closest(name, names, NEAR)


def no_attribute(owner: object, name: str, other_names: Mapping[str, str]) -> AttributeError:
    """The error of a name that ``owner`` does not have; ``other_names`` are what others call its own ones."""
    said = f"{type(owner).__name__!r} has no attribute {name!r}"
    if name.startswith("_"):
        return AttributeError(said)  # asked for by pickle, copy and notebooks
    names = [known for known in {*dir(type(owner)), *vars(owner)} if not known.startswith("_")]
    other = other_names.get(name)
    hint = f"did you mean {other!r}?" if other in names else nearest(name, names, "names")
    return AttributeError(f"{said}: {hint}", name=name)
