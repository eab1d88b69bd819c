from __future__ import annotations

from terminal.nearest import nearest


def test_the_nearest_name_or_all_of_them() -> None:
    assert nearest("schedul", ["seed", "schedule"], "knobs") == "did you mean 'schedule'?"
    assert nearest("qqqq", ["b", "a"], "knobs") == "valid knobs: a, b"
    assert nearest("x", [], "knobs") == "there are no valid knobs"


def test_the_same_name_in_other_letters_case_is_nearest_of_all() -> None:
    assert nearest("tidal", ["tidel", "Tidal"], "schedules") == "did you mean 'Tidal'?"
