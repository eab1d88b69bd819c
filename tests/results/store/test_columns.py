"""Facts that stand once, at a column, and the rules that name columns: none of them names one that does not exist."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import pytest

from results import Store, compact
from results.plain_rows import plain_rows
from results.store import validate
from results.store.column import Column
from results.store.row_types import REPORT_COLUMNS, TRIAL_COLUMNS, Reported
from results.store.statuses import ENDED, STATUSES, UNFINISHED
from tests.results.conftest import WHOLE

COLUMNS = [*TRIAL_COLUMNS, *REPORT_COLUMNS]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: c.name)
def test_every_column_is_of_a_type_that_a_file_can_hold(column: Column) -> None:
    assert column.kind in (float, int, bool, str, datetime)


def test_both_data_sets_say_the_same_of_what_both_have() -> None:
    reported = {column.name: column for column in REPORT_COLUMNS}
    shared = [column for column in TRIAL_COLUMNS if column.name in get_type_hints(Reported)]
    assert shared and all(column == reported[column.name] for column in shared)


def test_rules_about_rows_name_columns_that_exist() -> None:
    names = {column.name for column in TRIAL_COLUMNS}
    needed = {
        *validate.TRAINED,
        *(n for some in (*validate.BY_STATUS.values(), *validate.BY_STAGE.values()) for n in some),
    }
    assert needed <= names and set(compact._LEFT_OUT) <= names


def test_every_column_of_json_has_its_kind_of_json_and_no_other_has() -> None:
    assert validate.JSON.keys() == {column.name for column in COLUMNS if column.unit == "JSON"}


def test_what_no_row_lacks_is_what_its_type_says() -> None:
    assert {c.name for c in TRIAL_COLUMNS if not c.nullable} == {
        "key", "is_base", "number", "objective", "config", "overrides", "status",
    }  # fmt: skip
    assert {c.name for c in REPORT_COLUMNS if not c.nullable} == {"key", "attempt", "step"}


def test_only_losses_may_be_no_number() -> None:
    assert {c.name for c in TRIAL_COLUMNS if not c.finite} == {
        "last_value", "train_loss", "val_loss", "val_bpb", "val_nats_per_character", "val_mainrun_loss",
        "val_loss_quantised", "val_bpb_quantised",
    }  # fmt: skip


def test_a_trial_that_has_come_some_way_has_a_budget_also_where_it_broke_a_limit(store: Store) -> None:
    refused = {**WHOLE, "key": "a", "status": "infeasible", "seed": None, "data": None, "attempt": None, "budget": None}
    store.write_trial(refused)
    with pytest.raises(ValueError, match="seed is null, but a trial"):
        store.write_trial(refused | {"spent": 3.0})


def test_core_may_lie_below_chance(store: Store) -> None:
    row = {**WHOLE, "key": "a", "status": "completed", "core": -0.03, "core_error": 1.03}
    store.write_trial(row)
    assert store.trials()[0]["core"] == -0.03 and store.trials()[0]["core_error"] == 1.03


def test_an_objective_is_something_that_trials_are_measured_by(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the objective 'seed' does not exist"):
        Store.create(tmp_path / "c", {"objective": "seed"}, {})
    assert Store.create(tmp_path / "c", {"objective": "artifact_bytes"}, {}).campaign["objective"] == "artifact_bytes"


@pytest.mark.parametrize("column", [c for c in TRIAL_COLUMNS if not c.nullable], ids=lambda c: c.name)
def test_a_trial_without_what_its_type_has_is_refused(store: Store, column: Column) -> None:
    with pytest.raises(ValueError, match=r"is null|None"):
        store.write_trial({**WHOLE, "key": "a", "status": "completed", column.name: None})


TEXTS = [column for column in TRIAL_COLUMNS if column.kind is str and column.name not in ("key", "status")]


@pytest.mark.parametrize("column", TEXTS, ids=lambda c: c.name)
def test_a_text_may_have_as_many_characters_as_its_column_says(store: Store, column: Column) -> None:
    row = {**WHOLE, "key": "a", "status": "completed", column.name: "x" * (column.most + 1)}
    with pytest.raises(ValueError, match=f"{column.name} has .* characters but may have at most {column.most:,}"):
        store.write_trial(row)


def test_a_trial_is_over_unless_it_runs_or_was_interrupted() -> None:
    assert set(ENDED) == {"completed", "stopped", "diverged", "plateaued", "crashed", "infeasible"}
    assert {*ENDED, *UNFINISHED} == set(STATUSES)


def test_rows_of_a_frame_are_whole_where_pandas_made_counts_floats() -> None:
    first, second = plain_rows(pd.DataFrame([{"key": "a", "round": 1}, {"key": "b", "round": None}]))
    assert (repr(first["round"]), second["round"]) == ("1", None)
