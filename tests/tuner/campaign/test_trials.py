from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from results.store.column import FilledBy
from results.store.row_types import REPORT_COLUMNS, TRIAL_COLUMNS
from search_spaces.domains import Choice
from search_spaces.objectives import cost_of
from search_spaces.space import Knob
from trainable.component_json import encode
from trainable.component_paths import with_values
from trainable.config import Budget
from tuner.campaign.trials import Ledger

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def ledger(bench) -> Ledger:
    seconds = count()
    return Ledger(
        bench.store(), bench.space, bench.base, "data", "version", now=lambda: NOW + timedelta(seconds=next(seconds))
    )


@pytest.fixture
def values(toy_space, toy_base) -> dict:
    return toy_space.values_of(toy_base) | {"optimizer.matrix_lr": 0.2}


def opened(ledger: Ledger, values: dict) -> str:
    key = ledger.open(values, ledger.space.config(ledger.base, values), 7).key
    ledger.start(key)
    return key


def restored(bench) -> Ledger:
    """The book as the campaign's next start reads it."""
    again = Ledger(bench.store(), bench.space, bench.base, "data", "version")
    again.restore()
    return again


def test_every_column_that_applies_is_filled_after_a_completed_trial(ledger, values, result_of, bench) -> None:
    key = opened(ledger, values)
    config = ledger.entries[key].config
    for milestone, status in ((27.0, "running"), (240.0, "completed")):
        ledger.report(key, result_of(config, milestone, 2.0 - milestone / 1000, status))
    ledger.close(key, "completed", "", {"checkpoint": None, "weights": "weights/made-up"})
    (row,) = bench.rows()
    does_not_apply = {
        "recorded_id",
        "reading",
        "reason",
        "rung",
        "cutoff",
        "checkpoint",
        "promotions",
        "inert",
        "reused_from",
        "note",
    }
    does_not_apply |= {"arm", "round", "design", "undone"}
    said = result_of(config, 240.0, 1.76, "completed")
    does_not_apply |= {
        c.name for c in TRIAL_COLUMNS if c.source in (FilledBy.REPORT, FilledBy.WORKER) and c.field not in said
    }
    assert {c.name for c in TRIAL_COLUMNS if row[c.name] is None} == does_not_apply
    assert (row["value"], row["last_value"], row["val_bpb"], row["spent"]) == (1.76, 1.76, 1.76, 240.0)
    assert (row["steps"], row["tokens"], row["train_seconds"], row["tokens_per_second"]) == (240, 15360, 24.0, 640.0)
    assert json.loads(row["overrides"]) == {"optimizer.matrix_lr": 0.2} and not row["is_base"]
    assert json.loads(row["config"]) == encode(config)
    assert {path: row[path] for path in values} == values and row["schedule.warmup_frac"] is None
    assert row["started_at"] < row["ended_at"]
    reports = bench.store().reports(key)
    assert [r["milestone"] for r in reports] == [27, 240]
    unsaid = {c.name for c in REPORT_COLUMNS if c.source is FilledBy.REPORT and c.field not in said}
    unsaid |= {"reported_value"}  # of a user's own train function
    assert {c.name for r in reports for c in REPORT_COLUMNS if r[c.name] is None} == unsaid


@pytest.mark.parametrize(
    ("limit", "reported"),
    [({"epochs": 0.05}, {"epochs": 0.0017}), ({"param_data_ratio": 0.04}, {"param_data_ratio": 0.0135})],
)
def test_what_a_trial_has_spent_is_in_the_unit_of_its_budget(ledger, values, result_of, bench, limit, reported) -> None:
    budgeted = replace(ledger.space.config(ledger.base, values), budget=Budget(**limit))
    key = ledger.open(values, budgeted, 7).key
    ledger.start(key)
    ledger.report(key, result_of(budgeted, 0.00165, 2.0, "running") | reported)
    (row,) = bench.rows()
    assert ([row["spent"]], row["budget_unit"]) == (list(reported.values()), *limit)
    (report,) = bench.store().reports(key)
    assert report["milestone"] == 0.00165 and ledger.entries[key].milestones == {0.00165: 2.0}
    assert restored(bench).entries[key].milestones == {0.00165: 2.0}


def test_a_space_may_search_for_any_number_that_reports_carry(make_bench, toy_space, values, result_of) -> None:
    bench = make_bench("by-character", space=replace(toy_space, objective="val_nats_per_character"))
    ledger = Ledger(bench.store(), bench.space, bench.base, "data", "version")
    key = opened(ledger, values)
    ledger.report(key, result_of(bench.base, 27.0, 2.0, "running") | {"val_nats_per_character": 1.5})
    assert ledger.entries[key].milestones == {27.0: 1.5} and bench.rows()[0]["last_value"] == 1.5
    assert restored(bench).entries[key].milestones == {27.0: 1.5}


def test_an_objective_that_is_known_at_the_end_has_no_milestones(make_bench, toy_space, values, result_of) -> None:
    bench = make_bench("minutes", space=replace(toy_space, objective="train_minutes"))
    ledger = Ledger(bench.store(), bench.space, bench.base, "data", "version")
    key = opened(ledger, values)
    ledger.report(key, result_of(bench.base, 27.0, 2.0, "running"))
    ledger.report(key, result_of(bench.base, 240.0, 1.9, "completed") | {"train_minutes": 1.95})
    ledger.close(key, "completed")
    assert bench.rows()[0]["value"] == 1.95
    assert restored(bench).entries[key].milestones == {}


def test_the_speed_in_a_report_is_that_since_the_report_before(ledger, values, result_of, bench) -> None:
    key = opened(ledger, values)
    config = ledger.entries[key].config
    for step, seconds in ((10, 1.0), (20, 3.0)):
        ledger.report(key, result_of(config, step, 2.0, "running") | {"seconds": seconds})
    assert [r["tokens_per_second"] for r in bench.store().reports(key)] == [640.0, 320.0]
    assert bench.rows()[0]["tokens_per_second"] == pytest.approx(1280 / 3)


def test_a_trial_that_went_back_has_the_speed_since_its_start(ledger, values, result_of, bench) -> None:
    """Its checkpoint was damaged: fewer tokens than before, in more seconds. A speed below 0 could not be written."""
    key = opened(ledger, values)
    config = ledger.entries[key].config
    for step, seconds in ((20, 1.0), (10, 2.0)):
        ledger.report(key, result_of(config, step, 2.0, "running") | {"seconds": seconds})
    assert [r["tokens_per_second"] for r in bench.store().reports(key)] == [1280.0, 320.0]


def test_a_trial_that_did_not_complete_has_no_value(ledger, values, result_of, bench) -> None:
    key = opened(ledger, values)
    ledger.report(key, result_of(ledger.entries[key].config, 27.0, 2.0, "running"))
    ledger.close(key, "stopped", "rung 27: 2.0 > 1.0", {"rung": 27, "cutoff": 1.0})
    (row,) = bench.rows()
    assert row["value"] is None and row["last_value"] == 2.0 and (row["rung"], row["cutoff"]) == (27, 1.0)


def test_a_report_that_is_not_finite_is_no_milestone(ledger, values, result_of) -> None:
    key = opened(ledger, values)
    ledger.report(key, result_of(ledger.entries[key].config, 27.0, math.nan, "diverged"))
    ledger.close(key, "diverged", "not finite")
    assert ledger.entries[key].milestones == {} and ledger.best() is None


def test_a_row_is_there_from_the_start_of_a_trial_and_not_before(ledger, values, bench) -> None:
    key = ledger.open(values, ledger.space.config(ledger.base, values), 7).key
    assert bench.rows() == []
    ledger.start(key)
    (row,) = bench.rows()
    assert (row["status"], row["attempt"], row["ended_at"]) == ("running", 1, None)


def test_refused_values_are_kept_with_the_reason(ledger, values, bench) -> None:
    ledger.refuse(values | {"model.encoder_layers": 7}, "encoder_layers is 7", 3)
    (row,) = bench.rows()
    assert (row["status"], row["reason"], row["config"]) == ("infeasible", "encoder_layers is 7", "null")
    assert json.loads(row["overrides"])["model.encoder_layers"] == row["model.encoder_layers"] == 7


def test_a_book_read_again_says_what_the_first_one_did(ledger, values, result_of, bench) -> None:
    key = opened(ledger, values)
    config = ledger.entries[key].config
    for milestone, status in ((27.0, "running"), (80.0, "running"), (240.0, "completed")):
        ledger.report(key, result_of(config, milestone, 2.0, status))
    ledger.close(key, "completed")
    ledger.refuse(values | {"model.encoder_layers": 7}, "no", 3)
    left = opened(ledger, values | {"optimizer.matrix_lr": 0.1})
    ledger.report(left, result_of(ledger.entries[left].config, 27.0, 2.5, "running"))

    again = restored(bench)
    assert list(again.entries) == list(ledger.entries)
    for name, entry in ledger.entries.items():
        found = again.entries[name]
        assert (found.values, found.config, found.status) == (entry.values, entry.config, entry.status)
        assert found.milestones == {m: v for m, v in entry.milestones.items() if m < 240}
    assert [e.key for e in again.unfinished()] == [left]
    assert [o.status for o in again.ends()] == ["completed", "infeasible"]
    assert again.counts() == {"completed": 1, "infeasible": 1, "running": 1}
    assert again.best().key == key


def test_the_best_is_the_completed_trial_with_the_lowest_value(ledger, values, result_of) -> None:
    for rate, value, status in ((0.1, 2.0, "completed"), (0.2, 1.5, "completed"), (0.05, 1.0, "stopped")):
        key = opened(ledger, values | {"optimizer.matrix_lr": rate})
        ledger.report(key, result_of(ledger.entries[key].config, 240.0, value, "running"))
        ledger.close(key, status)
    assert ledger.best().values["optimizer.matrix_lr"] == 0.2


def test_the_book_can_be_read_in_one_thread_while_trials_are_added_in_another(ledger, values, monkeypatch) -> None:
    """The display's thread counts while the search goes on: here, whenever it looks at a trial's status."""
    rates = (0.011 + n / 1000 for n in count())

    def busy(entry) -> str:
        more = values | {"optimizer.matrix_lr": next(rates)}
        ledger.open(more, ledger.space.config(ledger.base, more), None)
        return str(entry.row["status"])

    opened(ledger, values)
    monkeypatch.setattr("tuner.campaign.entry.Entry.status", property(busy))
    assert ledger.counts() == {"running": 1}
    assert ledger.best() is None


def test_training_beside_a_trial_is_in_its_steps_tokens_and_seconds_but_not_in_what_it_came_through(
    ledger, values, result_of, bench
) -> None:
    key = opened(ledger, values)
    config = ledger.entries[key].config
    ledger.report(key, result_of(config, 27.0, 2.0, "running"))
    extra = {"steps": 27, "tokens": 1728, "seconds": 2.7, "spent": 27.0}
    ledger.report(key, result_of(config, 80.0, 2.0, "running") | {"extra": extra})
    (row,) = bench.rows()
    assert (row["spent"], row["extra_spent"], row["steps"], row["tokens"]) == (80.0, 27.0, 107, 80 * 64 + 1728)
    assert (row["train_seconds"], row["extra_seconds"]) == (pytest.approx(10.7), 2.7)
    assert cost_of("train_seconds", row) == pytest.approx(8.0), "what the config costs, not its search"
    assert [(r["step"], r["extra_spent"]) for r in bench.store().reports(key)] == [(27, 0.0), (80, 27.0)]


def test_a_run_of_its_own_for_a_rung_begins_at_nothing_and_the_trial_does_not(ledger, values, result_of, bench) -> None:
    key = opened(ledger, values)
    config = ledger.entries[key].config
    ledger.report(key, result_of(config, 27.0, 2.0, "running"))
    extra = {"steps": 27, "tokens": 1728, "seconds": 2.7, "spent": 27.0}
    ledger.report(key, result_of(config, 13.0, None, "interrupted") | {"extra": extra})
    ledger.close(key, "interrupted")
    assert [bench.rows()[0][name] for name in ("spent", "extra_spent", "steps")] == [27.0, 13.0, 40]
    assert restored(bench).entries[key].milestones == {27.0: 2.0}, "the next attempt goes on after it"


def test_a_change_that_another_setting_of_the_trial_switches_off_is_among_the_inert(bench) -> None:
    base = with_values(bench.base, {"optimizer": "AdamW"})
    knobs = (
        Knob("optimizer.weight_decay", Choice(0.0, 0.01), "made up"),
        Knob("optimizer.wd_exclude", Choice("none", "1d_and_norm"), "made up"),
    )
    space = replace(bench.space, knobs=knobs)
    ledger = Ledger(bench.store(), space, base, "data", "version")
    ledger.inert = []  # the audit found that both act, in the base
    found = {}
    for decay in (0.0, 0.01):
        changes = {"optimizer.weight_decay": decay, "optimizer.wd_exclude": "1d_and_norm"}
        found[decay] = json.loads(ledger.open(changes, space.config(base, changes), None).row["inert"])
    assert found == {0.0: ["optimizer.wd_exclude"], 0.01: []}
