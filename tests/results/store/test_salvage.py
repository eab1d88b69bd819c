from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from results.store.row_form import RowForm
from results.store.row_types import REPORT_COLUMNS, TRIAL_COLUMNS
from results.store.salvage import RefusedRowError, salvaged
from results.store.schema import reports_schema, trials_schema

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRIAL: dict[str, Any] = {
    "key": "k", "seed": 1, "is_base": True, "number": 0, "objective": "val_bpb", "config": "{}", "overrides": "{}",
    "data": "d", "budget": 10.0, "budget_unit": "steps", "status": "completed", "value": 1.5, "attempt": 1,
    "started_at": NOW,
}  # fmt: skip
REPORT: dict[str, Any] = {"key": "k", "attempt": 1, "step": 3}
FORMS = {"trials": RowForm(trials_schema({}), "trials"), "reports": RowForm(reports_schema(), "reports")}
BAD: dict[type, list[Any]] = {
    str: [7, "x" * 1_000_001, "half a character: \ud800"],
    int: [2**63, -(10**5000), 1.5, True],
    float: [10**400, 1e101, "1", False],
    bool: [1, "true"],
    datetime: [datetime(2026, 1, 1), datetime(3000, 1, 1, tzinfo=UTC), 1.0],
}


def _salvaged(row: dict[str, Any], dataset: str):
    form = FORMS[dataset]
    return salvaged(row, form.schema, dataset, lambda rest: form.table(form.cells(rest, "k", "val_bpb")))


def test_a_row_that_is_not_refused_is_written_as_it_is() -> None:
    for dataset, whole in (("trials", TRIAL), ("reports", REPORT)):
        row = dict(whole)
        table, said = _salvaged(row, dataset)
        assert row == whole and said is None and table.to_pylist()[0] == {**table.to_pylist()[0], **whole}


@pytest.mark.parametrize(
    "column", [c for c in TRIAL_COLUMNS if c.name not in TRIAL and c.name != "note"], ids=lambda c: c.name
)
def test_any_cell_of_a_trial_that_may_be_null_is_left_out_and_named(column) -> None:
    for bad in BAD[column.kind]:
        row = {**TRIAL, column.name: bad}
        table, said = _salvaged(row, "trials")
        assert said is not None and said[0] == f"the row of trial 'k' was written without {column.name}"
        assert said[1].startswith(f"{column.name} ") and len(said[1]) < 300
        assert row == {**TRIAL, column.name: None, "note": f"left out: {said[1]}"}
        assert table.to_pylist()[0]["note"] == row["note"] and table.to_pylist()[0]["value"] == 1.5


@pytest.mark.parametrize("column", [c for c in REPORT_COLUMNS if c.name not in REPORT], ids=lambda c: c.name)
def test_any_cell_of_a_report_that_may_be_null_is_left_out_and_named(column) -> None:
    for bad in BAD[column.kind]:
        row = {**REPORT, column.name: bad}
        _, said = _salvaged(row, "reports")
        assert said is not None and said[0] == f"a report of trial 'k' was written without {column.name}"
        assert row == {**REPORT, column.name: None}


@pytest.mark.parametrize("change", [{"value": 1e200}, {"value": None}, {"status": "complete"}])
def test_a_trial_that_lacks_what_its_status_has_counts_as_crashed(change) -> None:
    row = {**TRIAL, **change}
    _, said = _salvaged(row, "trials")
    assert (row["status"], row["value"]) == ("crashed", None) and row["reason"].endswith(said[1])
    assert said[0] == "the row of trial 'k' could not be written as it was, and counts as crashed"


def test_a_column_that_does_not_exist_is_left_out() -> None:
    row = {**TRIAL, "val_los": 1.0}
    _, said = _salvaged(row, "trials")
    assert said == ("the row of trial 'k' was written without val_los", "val_los is no column of trials")
    assert row == {**TRIAL, "note": "left out: val_los is no column of trials"}


def test_a_note_that_is_there_stays_and_a_column_is_named_once() -> None:
    row = {**TRIAL, "note": "attempt 1: killed", "steps": -1}
    _salvaged(row, "trials")
    _salvaged(row := {**row, "steps": -2, "worker": 1}, "trials")
    assert row["note"].startswith("attempt 1: killed; left out: steps is -1 but")
    assert row["note"].count("steps") == 1 and row["note"].endswith("left out: worker is 1 but must be text")


@pytest.mark.parametrize(
    ("dataset", "change"),
    [("trials", {"config": "no JSON"}), ("trials", {"objective": "val_loss"}), ("reports", {"step": -1})],
)
def test_a_row_of_which_nothing_can_be_written_stays_as_it_was(dataset, change) -> None:
    row = {**(TRIAL if dataset == "trials" else REPORT), **change}
    before = dict(row)
    with pytest.raises(RefusedRowError, match="of trial 'k' is refused by our own rules: ") as error:
        _salvaged(row, dataset)
    assert row == before and "\n" not in str(error.value)
