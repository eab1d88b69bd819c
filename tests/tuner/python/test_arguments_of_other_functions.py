"""An argument that another function has is told where it goes, not the name that looks most like it."""

from __future__ import annotations

import pytest

import tuner
from tuner.cli.modes import NEW_SEARCH, REPLAY, RESUME
from tuner.python.arguments import options_given


@pytest.mark.parametrize(
    ("mode", "function", "name", "says"),
    [
        (RESUME, "resume", "sampler", r"resume\(\) has no argument 'sampler': it goes with search\(\)$"),
        (RESUME, "resume", "stopper", r"resume\(\) has no argument 'stopper': it goes with search\(\) and replay\(\)$"),
        (REPLAY, "replay", "trials", r"replay\(\) has no argument 'trials': it goes with search\(\) and resume\(\)$"),
        (NEW_SEARCH, "search", "seeds", r"search\(\) has no argument 'seeds': it goes with replay\(\)$"),
        (RESUME, "resume", "kep", r"resume\(\) has no argument 'kep': did you mean 'keep'\?$"),
    ],
)
def test_an_argument_of_another_function_is_told_where_it_goes(mode: str, function: str, name: str, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        options_given(mode, function, {name: "gp"})


def test_a_confirmation_that_is_true_is_told_what_it_may_be() -> None:
    with pytest.raises(ValueError, match=r"^confirm is True but must be text as '3x3\.\.5\.\.30', or False$"):
        tuner.search("parameter_golf", confirm=True)
