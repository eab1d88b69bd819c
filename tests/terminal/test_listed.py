"""Lists with commas between their names."""

from __future__ import annotations

import pytest

from terminal.listed import comma_separated


def test_names_stand_between_commas() -> None:
    assert (
        comma_separated("a, b c ,d") == ["a", "b c", "d"]
        and comma_separated("a") == ["a"]
        and comma_separated("") == [""]
    )


@pytest.mark.parametrize("text", [",", "a,", ",a", "a,,b", "a, ,b"])
def test_an_empty_name_is_said_to_be_one(text: str) -> None:
    with pytest.raises(ValueError, match=f"^'{text}' has an empty name: .* as in 'a,b'$"):
        comma_separated(text)
