"""The pace of trials, from rows that are made up with known seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from results.store.row_parts import with_all_columns
from tuner.plan.pace import Pace, TrialCourse, between_trials, course_of, pace_of

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ASHA = TrialCourse((60.0, 120.0), at_the_end=3.0)


def row(**cells):
    usual = {"is_base": False, "objective": "val_bpb", "stage": "search", "attempt": 1, "budget": 240.0}
    return with_all_columns({**usual, **cells})


@pytest.mark.parametrize(
    ("spent", "evaluations"),
    [(60.0, 1), (120.0, 2), (240.0, 5)],  # the end takes three times as long
)
def test_a_pace_is_what_each_part_took(spent, evaluations) -> None:
    seconds = {"train_seconds": 0.5 * spent, "eval_seconds": 2.0 * evaluations}
    found = pace_of(row(spent=spent, wall_seconds=7 + sum(seconds.values()), **seconds), ASHA)
    assert found == Pace(pytest.approx(7.0), pytest.approx(0.5), pytest.approx(2.0))
    assert found.seconds(ASHA, 240.0, 60.0, 240.0) == pytest.approx(90 + 2 * 4)


@pytest.mark.parametrize("cells", [{}, {"spent": 60.0}, {"spent": 60.0, "train_seconds": 3.0, "reused_from": "night"}])
def test_a_trial_without_a_report_here_has_no_pace(cells) -> None:
    assert pace_of(row(**cells), ASHA) is None


@pytest.mark.parametrize(
    ("fidelity", "trained"),
    [("truncate", [60, 120, 240]), ("complete", [60, 180, 420]), ("branch", [69, 147, 267])],
)
def test_the_training_beside_a_trial_is_in_its_course(fidelity, trained) -> None:
    course = TrialCourse((60.0, 120.0), fidelity=fidelity)
    assert [course.trained(upto, 240.0) for upto in (60.0, 120.0, 240.0)] == pytest.approx(trained)


def test_reports_lie_between_rungs_and_those_beyond_a_budget_are_none() -> None:
    course = TrialCourse((60.0, 120.0), reports=2)
    assert course.milestones(240.0) == [60.0, 80.0, 120.0, 160.0]
    assert course.milestones(100.0) == pytest.approx([100 / 3, 60.0, 200 / 3])


def test_a_run_after_the_search_is_judged_nowhere() -> None:
    assert course_of(row(stage="confirm"), ASHA).milestones(240.0) == []
    assert course_of(row(), ASHA) == ASHA


def test_a_slot_is_empty_between_trials_for_the_median_gap() -> None:
    rows = []
    for number in range(5):
        start = BEGAN + timedelta(seconds=12 * number)
        rows.append(row(started_at=start, ended_at=start + timedelta(seconds=10)))
    assert between_trials(rows) == pytest.approx(2.0)
    assert between_trials(rows[:2]) == 0.0, "too few to tell"
