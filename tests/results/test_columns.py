"""Facts that stand once, at a column, and the rules that name columns: none of them names one that does not exist."""

from __future__ import annotations

from datetime import datetime
from typing import get_type_hints

import pytest

from results import compact, rows
from results.column import Column
from results.row_types import REPORT_COLUMNS, TRIAL_COLUMNS, Reported

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
    needed = {*rows.TRAINED, *(n for some in (*rows.BY_STATUS.values(), *rows.BY_STAGE.values()) for n in some)}
    assert needed <= names and set(compact._LEFT_OUT) <= names


def test_every_column_of_json_has_its_kind_of_json_and_no_other_has() -> None:
    assert rows.JSON.keys() == {column.name for column in COLUMNS if column.unit == "JSON"}


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
