from __future__ import annotations

import pytest

from terminal.nearest import nearest


def test_the_nearest_name_or_all_of_them() -> None:
    assert nearest("schedul", ["seed", "schedule"], "knobs") == "did you mean 'schedule'?"
    assert nearest("qqqq", ["b", "a"], "knobs") == "valid knobs: a, b"
    assert nearest("x", [], "knobs") == "there are no valid knobs"


def test_the_same_name_in_other_letters_case_is_nearest_of_all() -> None:
    assert nearest("tidal", ["tidel", "Tidal"], "schedules") == "did you mean 'Tidal'?"


@pytest.mark.parametrize(
    ("name", "names"),
    [("winner", ["confirmed", "best", "all", "none"]), ("gradients", ["updates", "weights", "clips", "logits"])],
)
def test_of_a_few_names_all_are_listed_where_none_is_really_near(name: str, names: list[str]) -> None:
    assert nearest(name, names, "names") == f"valid names: {', '.join(sorted(names))}"
    assert nearest(f"{names[0]}s", names, "names") == f"did you mean {names[0]!r}?"
    assert nearest(names[0][:4], names, "names") == f"did you mean {names[0]!r}?"
