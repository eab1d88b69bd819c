"""How long a campaign took has one meaning in the report, at a search's end and on the page."""

from __future__ import annotations

import pytest

from results import report
from results.page.data import page_data
from results.questions.took import took_line

LR = {"optimizer.matrix_lr": 0.1}


@pytest.fixture
def took(ended, written):
    """A search of two runs of 60 s each on two slots, half of it training, and a confirmation ``pause`` s later."""

    def make(pause: float = 0.0, attempt: int = 1):
        spent = {"train_seconds": 30.0, "eval_seconds": 1.0, "compile_seconds": 0.0}
        later = {"stage": "confirm", "arm": f"{1:016x}", "round": 0, "design": "1x2", "seed": 7}
        rows = [
            ended(0, "completed", 1.5, at=60.0, took=60.0, **spent),
            ended(1, "completed", 1.4, LR, at=60.0, took=60.0, attempt=attempt, **spent),
            ended(2, "completed", 1.5, LR, at=120.0 + pause, took=60.0, **later, **spent),
        ]
        return written(rows)

    return make


def test_it_is_from_the_first_start_to_the_last_end_with_the_confirmation(took) -> None:
    line = "Time: 2 min from the first run's start to the last one's end, on 2 slots; 38% of it was training."
    assert took_line(took()) == line


def test_pauses_between_two_starts_are_named_and_no_part_of_the_share(took) -> None:
    said = took_line(took(pause=3600.0))
    assert said.startswith(
        "Time: 1 h 2 min from the first run's start to the last one's end, 1 h of it without a run, on 2 "
    )
    assert said.endswith("; 38% of the rest was training.")


def test_a_run_that_went_on_makes_the_share_a_least_one(took) -> None:
    assert took_line(took(attempt=2)).endswith("; at least 25% of it was training.")


def test_nothing_is_said_before_a_run_has_ended(written) -> None:
    assert took_line(written([])) == ""


def test_the_report_and_the_page_say_the_same_time(took, capsys) -> None:
    results = took()
    folder = results.store.folder
    assert report.main([str(folder), "--no-page"]) == 0
    assert took_line(results) in capsys.readouterr().out.splitlines()
    assert page_data(results, folder)["slots"]["seconds"] == 120.0
