"""An argument that a function does not have, told the nearest that it has."""

from __future__ import annotations

import inspect

import pytest

from terminal.named_arguments import naming_the_nearest


@naming_the_nearest
def double(number: int, *, times: int = 2) -> int:
    """Multiply."""
    return number * times


def test_the_nearest_is_named_and_all_else_is_as_it_was() -> None:
    assert double(3) == 6 and double(number=3, times=3) == 9
    assert list(inspect.signature(double).parameters) == ["number", "times"] and double.__doc__ == "Multiply."
    with pytest.raises(TypeError, match=r"^double\(\) has no argument 'time': did you mean 'times'\?$"):
        double(3, time=3)
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'number'"):
        double(times=3)
