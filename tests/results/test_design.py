"""The runs of a confirmation, one after another."""

from __future__ import annotations

from results.design import DEFAULT, Design


def test_a_confirmation_takes_whole_runs_however_many_slots_there_are() -> None:
    assert Design(3, 3, 9).waves(2) == (6, 18)
    assert Design(3, 3, 9).waves(64) == (1, 7)
    assert Design(3, 3, 3).waves(5) == (3, 3)


def test_runs_that_are_over_are_not_waited_for() -> None:
    assert Design(3, 3, 9).waves(2, done=4) == (4, 16)
    assert Design(3, 3, 9).waves(2, done=12) == (0, 12)


def test_a_design_has_no_more_candidates_than_there_can_be() -> None:
    found = [DEFAULT.among(candidates) for candidates in (0, 1, 2, 3, 4)]
    assert [found[0], *map(str, found[1:])] == [None, "1x3..5..30", "2x3..5..30", "3x3..5..30", "3x3..5..30"]
