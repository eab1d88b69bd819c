"""A number that a run says of itself is a field of its report and a column, and nothing else: all the rest follows."""

from __future__ import annotations

import dataclasses
from dataclasses import asdict, dataclass
from datetime import datetime
from types import NoneType
from typing import Annotated, Any, get_args, get_type_hints

import pandas as pd
import pyarrow.parquet as pq
import pytest

import results
from results.compact import compact
from results.store import row_parts, row_types
from results.store.campaign_folder import Store
from results.store.campaign_json import STEP_SECONDS
from results.store.column import FilledBy, columns_of, measured
from results.store.row_types import ReportRow, TrialRow
from search_spaces.objectives import COSTS, OBJECTIVES
from trainable.report import VALIDATION_SCORES, Environment, Report
from tuner.campaign import same_device
from tuner.campaign.trials import Ledger
from tuner.proposals.reuse import Library

# Fields of a report that decide, or that the driver works columns out from.
NO_COLUMNS = {
    "status", "reason", "violation", "extra", "logged",
    "flops", "param_data_ratio", "epochs",  # what is spent, in the unit of the budget
}  # fmt: skip


def kinds(sent: type) -> dict[str, type]:
    """The type of each field that is not null."""
    hints = get_type_hints(sent)
    return {name: next((t for t in get_args(hint) if t is not NoneType), hint) for name, hint in hints.items()}


def test_every_field_of_a_report_is_a_column_of_its_type_and_every_column_has_its_field() -> None:
    columns = (*row_types.TRIAL_COLUMNS, *row_types.REPORT_COLUMNS)
    filled = {column.field: column.kind for column in columns if column.source is FilledBy.REPORT}
    expected = {name: kind for name, kind in kinds(Report).items() if name not in NO_COLUMNS}
    assert filled == expected, "add it to results/store/row_types.py, or to NO_COLUMNS if it is no column"
    assert kinds(Report).keys() > NO_COLUMNS


def test_what_is_sent_beside_a_report_is_a_column_of_its_type_too() -> None:
    assert kinds(Environment) == {c.name: c.kind for c in row_types.TRIAL_COLUMNS if c.source is FilledBy.WORKER}


def test_what_is_minimised_or_limited_is_a_measure() -> None:
    measures = {column.name for column in row_types.TRIAL_COLUMNS if column.is_measure} | {STEP_SECONDS}
    assert {*OBJECTIVES, *COSTS, *VALIDATION_SCORES} <= measures
    assert {name for name in (*OBJECTIVES, *COSTS) if name in same_device.TIMED} == {
        "time_to_target",
        "train_seconds",
        "train_minutes",
        "step_seconds",
    }


CELLS: dict[type, Any] = {
    float: 2.5, int: 3, bool: True, str: "text", datetime: datetime.fromisoformat("2026-01-02T00:00:00+00:00"),
}  # fmt: skip


def test_a_new_attempt_takes_back_what_the_last_one_said_and_leaves_what_was_asked(bench, toy_base) -> None:
    ledger = Ledger(bench.store(), bench.space, bench.base, "data", "version")
    entry = ledger.open(bench.space.values_of(toy_base), toy_base, None)
    whole = {column.name: CELLS[column.kind] for column in row_types.TRIAL_COLUMNS}
    entry.row.update(whole)
    entry.restart()
    measures = {
        c.name for c in row_types.TRIAL_COLUMNS if c.source in (FilledBy.REPORT, FilledBy.WORKER, FilledBy.DRIVER)
    }
    assert {name for name in whole if entry.row[name] is None} == measures | {"checkpoint", "weights"}


def test_a_row_takes_over_how_the_reused_trial_trained_and_nothing_of_the_campaign_it_was_of() -> None:
    whole: Any = {column.name: CELLS[column.kind] for column in row_types.TRIAL_COLUMNS}
    taken = row_parts.reusable(whole)
    own = {"key", "campaign", "space", "scale", "stage", "number", "value", "is_base", "optuna_number", "reused_from"}
    assert not own & taken.keys()
    assert {c.name for c in row_types.TRIAL_COLUMNS if c.source in (FilledBy.REPORT, FilledBy.WORKER)} <= taken.keys()


# --- a metric that nobody has thought of ------------------------------------------------------------------------------

Joules = Annotated[float | None, measured("tokens/J", "training tokens a joule, made up")]


class MoreTrial(TrialRow, total=False):
    tokens_per_joule: Joules


class MoreReport(ReportRow, total=False):
    tokens_per_joule: Joules


@dataclass(frozen=True)
class MoreSaid(Report):
    tokens_per_joule: float | None = None


@pytest.fixture
def old(make_bench, play) -> Store:
    """A campaign from before there was the metric."""
    bench = make_bench("old")
    play(bench.search(trials=2)).run()
    return bench.store()


@pytest.fixture
def with_joules(old, monkeypatch) -> None:
    """The two places: a column (here of both data sets), and a field of the report (``said``)."""
    monkeypatch.setattr(row_types, "TRIAL_COLUMNS", columns_of(MoreTrial))
    monkeypatch.setattr(row_types, "REPORT_COLUMNS", columns_of(MoreReport))


def said(config, milestone: float, joules: float | None, status: str, result_of) -> dict[str, Any]:
    """What RayTrainable.step sends: a report, and what trains the run."""
    known = result_of(config, milestone, 2.0, status)
    report = {field.name: known[field.name] for field in dataclasses.fields(Report) if field.name in known}
    beside = {field.name: known[field.name] for field in dataclasses.fields(Environment)}
    return {**asdict(MoreSaid(**report, tokens_per_joule=joules)), **asdict(Environment(**beside))}


@pytest.fixture
def ended(with_joules, make_bench, result_of):
    """A campaign whose one trial has reported the metric twice."""
    bench = make_bench("new")
    ledger = Ledger(bench.store(), bench.space, bench.base, "made-up-data", "version")
    entry = ledger.open(ledger.base_values, bench.base, None)
    ledger.start(entry.key)
    ledger.report(entry.key, said(bench.base, 60.0, 1.5, "running", result_of))
    ledger.report(entry.key, said(bench.base, 240.0, 2.5, "completed", result_of))
    ledger.close(entry.key, "completed")
    return bench, ledger, entry


def test_a_made_up_metric_is_in_the_files_with_its_unit_and_in_the_frames(ended, tmp_path) -> None:
    bench, *_ = ended
    for dataset in ("trials", "reports"):
        field = pq.read_schema(bench.folder / dataset / "0-empty.parquet").field("tokens_per_joule")
        assert field.metadata == {b"unit": b"tokens/J", b"meaning": b"training tokens a joule, made up"}
    compact(bench.folder, tmp_path / "small")
    for folder in (bench.folder, tmp_path / "small"):
        loaded = results.load(folder)
        assert loaded.trials["tokens_per_joule"].tolist() == [2.5]
        assert loaded.reports["tokens_per_joule"].tolist() == [1.5, 2.5]


def test_a_made_up_metric_of_a_reused_trial_is_in_the_row_that_reuses_it(ended, make_bench) -> None:
    bench, _, entry = ended
    found = Library([bench.folder]).get(entry.key)
    assert found is not None
    other = make_bench("other")
    ledger = Ledger(other.store(), other.space, other.base, "made-up-data", "version")
    ledger.open(ledger.base_values, other.base, None)
    ledger.reuse(entry.key, found, "completed")
    (row,) = other.rows()
    assert (row["tokens_per_joule"], row["reused_from"]) == (2.5, "new")
    assert [report["tokens_per_joule"] for report in other.store().reports(entry.key)] == [1.5, 2.5]


def test_a_made_up_metric_is_taken_back_by_an_attempt_that_begins_again(ended, result_of) -> None:
    bench, ledger, entry = ended
    entry.restart()
    ledger.start(entry.key)
    assert bench.rows()[0]["tokens_per_joule"] is None
    ledger.report(entry.key, said(bench.base, 60.0, 0.5, "running", result_of))
    assert bench.rows()[0]["tokens_per_joule"] == 0.5
    ledger.report(entry.key, said(bench.base, 120.0, None, "interrupted", result_of))
    ledger.close(entry.key, "interrupted")
    assert bench.rows()[0]["tokens_per_joule"] == 0.5, "of the last report that had it"


def test_a_made_up_metric_may_be_minimised_and_is_looked_at_when_it_is_read(ended) -> None:
    bench = ended[0]
    (row,) = bench.rows()
    with pytest.raises(ValueError, match="tokens_per_joule is inf but must be"):
        bench.store().write_trial(row | {"tokens_per_joule": float("inf")})
    assert next(c for c in row_types.TRIAL_COLUMNS if c.name == "tokens_per_joule").is_measure


def test_files_from_before_a_metric_are_read_with_null_in_its_place(old, with_joules) -> None:
    again = Store.open(old.folder)
    rows = again.trials()
    assert rows and all(row["tokens_per_joule"] is None for row in rows)
    assert all(report["tokens_per_joule"] is None for reports in again.reports_by_key().values() for report in reports)


def test_a_campaign_from_before_a_metric_has_it_for_pandas_once_it_is_gone_on_with(old, with_joules) -> None:
    again = Store.open(old.folder)
    again.set_damaged_aside(lambda path, why: pytest.fail(f"{path}: {why}"))
    first = again.trials()[0]
    first["tokens_per_joule"] = 3.0
    again.write_trial(first)
    again.settle(at_once=True)
    trials, reports = (pd.read_parquet(old.folder / dataset) for dataset in ("trials", "reports"))
    assert trials.set_index("key")["tokens_per_joule"].dropna().to_dict() == {first["key"]: 3.0}
    assert reports["tokens_per_joule"].isna().all()
