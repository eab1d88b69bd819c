"""An argument that another function has is told where it goes, not the name that looks most like it."""

from __future__ import annotations

import pytest

import tuner
from tuner.cli import modes
from tuner.python.arguments import options_given


@pytest.mark.parametrize(
    ("mode", "function", "name", "hint"),
    [
        (modes.RESUME, "resume", "sampler", "it goes with search()"),
        (modes.RESUME, "resume", "stopper", "it goes with search() and replay()"),
        (modes.REPLAY, "replay", "trials", "it goes with search() and resume()"),
        (modes.NEW_SEARCH, "search", "seeds", "it goes with replay()"),
        (modes.RESUME, "resume", "kep", "did you mean 'keep'?"),
    ],
)
def test_an_argument_of_another_function_is_told_where_it_goes(mode: str, function: str, name: str, hint: str) -> None:
    with pytest.raises(TypeError) as refused:
        options_given(mode, function, {name: "gp"})
    assert str(refused.value) == f"{function}() has no argument {name!r}: {hint}"


def test_a_confirmation_that_is_true_is_told_what_it_may_be() -> None:
    with pytest.raises(ValueError, match=r"^confirm is True but must be text as '3x3\.\.5\.\.30', or False$"):
        tuner.search("parameter_golf", confirm=True)
