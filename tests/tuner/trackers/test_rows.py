"""What trackers are told: every number of a report and a curve, once, with the step and the time that it belongs to."""

from __future__ import annotations

from datetime import UTC, datetime

from results.store import row_types
from results.store.curves import TrainingCurve
from tuner.trackers.rows import campaign_id, end_of, flat, points_of, run_of, run_of_campaign

AT = datetime(2026, 1, 2, tzinfo=UTC)
RECORD = {"created_at": "2026-01-02T03:04:05Z", "space": "toy", "base": {"model": {"type": "GPT", "dim": 8}}}


def report(step: int, second: int, **measured):
    """A row of ``reports``, with null for what is not given."""
    empty = dict.fromkeys(column.name for column in row_types.REPORT_COLUMNS)
    return {**empty, "step": step, "at": AT.replace(second=second), "logged": '{"norm": 1.5}', **measured}


def row(**cells):
    empty = dict.fromkeys(column.name for column in row_types.TRIAL_COLUMNS)
    usual = {"key": "k1", "number": 7, "stage": "search", "config": '{"a": {"b": 1, "c": null}, "d": [2, {"e": "f"}]}'}
    return {**empty, **usual, "is_base": False, "status": "completed", "attempt": 1, **cells}


def test_a_config_is_flat_by_its_paths_and_null_is_left_out() -> None:
    assert dict(flat({"a": {"b": 1, "c": None}, "d": [2, {"e": "f"}], "g": True})) == {
        "a.b": 1, "d.0": 2, "d.1.e": "f", "g": True,
    }  # fmt: skip


def test_points_are_merged_by_step_and_a_later_attempt_replaces_an_earlier_one() -> None:
    reports = [report(4, 10, val_bpb=2.0), report(8, 20, val_bpb=1.8), report(4, 30, val_bpb=1.9, tokens=64)]
    curve = TrainingCurve([1, 4, 6, 9], None, {"loss": [4.0, 3.0, 2.5, 2.0]}, {"loss": "nats"})
    found = points_of(reports, curve, -1, None)
    assert [point.step for point in found] == [1, 4, 6, 8, 9]
    assert found[1].values == {"train/loss": 3.0, "eval/val_bpb": 1.9, "eval/tokens": 64.0, "logged/norm": 1.5}
    assert [datetime.fromtimestamp(p.at, UTC).second for p in found] == [30, 30, 20, 20, 20]
    assert [point.step for point in points_of(reports, curve, 1, 6)] == [4, 6]
    assert points_of([], None, -1, None) == []


def test_every_number_of_a_report_is_a_point_also_one_that_is_added_later() -> None:
    numbers = [c.name for c in row_types.REPORT_COLUMNS if c.kind in (int, float)]
    (point,) = points_of([report(4, 1, **dict.fromkeys(set(numbers) - {"step"}, 2.0))], None, -1, None)
    kept = {name.removeprefix("eval/") for name in point.values}
    assert kept == set(numbers) - {"step", "attempt", "milestone", "extra_spent"} | {"logged/norm"}


def test_a_run_on_a_fresh_seed_is_told_apart_from_the_trial_that_it_repeats() -> None:
    trial = run_of(row(is_base=True), RECORD, "night", None)
    again = run_of(row(key="k2", number=31, stage="confirm", seed=1340, reused_from="day"), RECORD, "night", 7)
    assert (trial.name, trial.place, trial.stage, trial.tags) == ("trial 7", "0007", "search", ("search", "base"))
    assert (again.name, again.place) == ("confirm 31: trial 7 on seed 1340", "confirm-0031")
    assert (
        again.tags == ("confirm", "reused")
        and again.id != trial.id
        and trial.config == {"a.b": 1, "d.0": 2, "d.1.e": "f"}
    )


def test_ids_are_of_one_campaign_and_a_new_one_of_the_same_name_has_others() -> None:
    later = {**RECORD, "created_at": "2026-01-02T03:04:06Z"}
    assert run_of(row(), RECORD, "night", None).id == run_of(row(status="running"), RECORD, "night", None).id
    assert run_of(row(), RECORD, "night", None).id != run_of(row(), later, "night", None).id
    assert campaign_id("night", RECORD) != campaign_id("day", RECORD)
    whole = run_of_campaign(RECORD, "night")
    assert whole.is_campaign and whole.name == "night" and whole.config["base.model.dim"] == 8


def test_a_row_is_the_same_end_whether_it_was_read_or_sent_as_json() -> None:
    ended = row(started_at=AT, ended_at=AT, value=1.5, reason=None)
    sent = {**ended, "started_at": AT.isoformat(), "ended_at": AT.isoformat()}
    assert end_of(ended) == end_of(sent) and end_of(ended).mark and end_of(ended).numbers["value"] == 1.5
    assert "config" not in end_of(ended).row and "reason" not in end_of(ended).row
    assert not end_of(row(status="interrupted")).mark and not end_of(row(status="running")).mark
    assert end_of(row(status="crashed")).failed and not end_of(row(status="stopped")).failed
