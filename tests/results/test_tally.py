"""Trials counted in words: proposals that were never trained are none of them, wherever a campaign is counted."""

from __future__ import annotations

import pytest

from results import Store, load, report
from results.page.data import page_data
from results.page.verdict import sentence_of
from results.questions.compare import compare_campaigns
from results.stopping import stopping_line
from results.tally import tallies, tally
from tests.results.conftest import KNOBS

LIMIT = "parameters<=2000"
TRAINED, NEVER = '{"type": "TrainConfig"}', "null"


@pytest.fixture
def made(tmp_path, make_trial):
    """A campaign of 3 trials asked for, with these ends of trials and these parameters of proposals never trained."""

    def make(ends: tuple[str, ...], untrained: tuple[int | None, ...] = ()):
        about = {"space": "parameter_golf", "scale": "proxy", "trials": 3, "constraints": [LIMIT]}
        store = Store.create(tmp_path / "made", about, KNOBS)
        rows = [(end, TRAINED, 1000) for end in ends] + [("infeasible", NEVER, size) for size in untrained]
        for number, (end, config, size) in enumerate(rows):
            told = {"config": config, "parameters": size, "reason": "too much" if end == "infeasible" else None}
            changes = {"optimizer.matrix_lr": 0.1 + number} if number else {}
            value = None if config == NEVER else 1.5
            told |= {"rung": 60.0, "cutoff": 1.0, "spent": 60.0} if end == "stopped" else {}
            store.write_trial(make_trial(number, end, value, changes, **told))
        return store.folder

    return make


def test_what_was_never_trained_is_counted_apart_and_no_trial() -> None:
    found = tally([("completed", TRAINED), ("infeasible", NEVER), ("infeasible", TRAINED), ("stopped", None)])
    assert (found.trials, found.proposals) == (3, 1)
    assert found.in_words == "1 completed, 1 stopped, 1 infeasible; 1 proposal infeasible before training"
    assert found.of(2000).startswith("1 completed, 1 stopped, 1 infeasible, of 2,000 asked for; 1 proposal ")
    assert tally([]).in_words == "" and tally([]).of(None) == "none yet, of an unknown number asked for"


def test_runs_are_counted_by_stage_and_the_search_is_always_there() -> None:
    runs = [(None, "completed", TRAINED), ("confirm", "interrupted", TRAINED), ("ablate", "infeasible", NEVER)]
    found = {stage: ends.in_words for stage, ends in tallies(runs).items()}
    proposal = "1 proposal infeasible before training"
    assert found == {"search": "1 completed", "confirmation": "1 interrupted", "ablation": proposal}
    assert list(tallies(())) == ["search"]


def test_the_head_of_a_report_adds_up_to_the_trials_asked_for(made, capsys) -> None:
    assert report.main([str(made(("completed", "completed", "infeasible"), (2500, 2600, None))), "--no-page"]) == 0
    head, limits, *_ = capsys.readouterr().out.splitlines()
    assert head == "3 trials: 2 completed, 1 infeasible; 3 proposals infeasible before training"
    assert limits == f"Limit that a trial must keep: {LIMIT}; 1 trial and 2 proposals beyond.", "one made no valid run"


def test_a_search_of_which_only_proposals_are_there_has_not_started(made, capsys) -> None:
    assert report.main([str(made((), (2500,))), "--no-page"]) == 0
    head, limits, *_ = capsys.readouterr().out.splitlines()
    assert head == "no trial has started yet; 1 proposal infeasible before training"
    assert limits.endswith("; 1 proposal beyond.")


def test_a_search_is_not_said_to_be_over_for_proposals_that_were_never_trained(made) -> None:
    found = load(made(("completed", "running"), (2500, 2600)))
    said = sentence_of(found, found.rows, []).sentence
    assert said.endswith("The search is not over: 1 of 3 trials ended, 1 under way.")


def test_an_interrupted_trial_is_not_said_to_be_under_way(made) -> None:
    found = load(made(("completed", "running", "interrupted"), ()))
    said = sentence_of(found, found.rows, []).sentence
    assert said.endswith("The search is not over: 1 of 3 trials ended, 1 under way, 1 interrupted.")


def test_a_page_marks_proposals_and_those_alone(made) -> None:
    found = load(made(("completed", "infeasible"), (2500, 2600)))
    assert page_data(found, found.store.folder)["trials"]["untrained"] == [False, False, True, True]


def test_python_and_early_stopping_count_the_trials_alone(made) -> None:
    found = load(made(("completed", "completed", "stopped"), (2500, 2600)))
    assert repr(found) == "<Loaded 'made': 3 trials, 2 completed>"
    assert stopping_line(found).startswith("Early stopping ended 1 of 3 trials")
    assert compare_campaigns([found, found]).campaigns["trials"].tolist() == [3, 3]
