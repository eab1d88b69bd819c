"""The runs of a confirmation, one after another."""

from __future__ import annotations

from results.design import Design


def test_a_confirmation_takes_whole_runs_however_many_slots_there_are() -> None:
    assert Design(3, 3, 9).waves(2) == (6, 18)
    assert Design(3, 3, 9).waves(64) == (1, 7)
    assert Design(3, 3, 3).waves(5) == (3, 3)


def test_runs_that_are_over_are_not_waited_for() -> None:
    assert Design(3, 3, 9).waves(2, done=4) == (4, 16)
    assert Design(3, 3, 9).waves(2, done=12) == (0, 12)
