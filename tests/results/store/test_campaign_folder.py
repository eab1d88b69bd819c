"""What is written is read back, by us and by pandas, and bad input is refused by name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results import Store, campaign_folder, load
from results.store.column import Column
from results.store.row_types import REPORT_COLUMNS, TRIAL_COLUMNS
from results.store.schema import reports_schema, trials_schema
from results.store.statuses import STATUSES
from results.store.validate import TRAINED, range_of
from tests.one_file_a_trial import one_file_a_trial
from tests.results.conftest import WHOLE

KNOBS = {"hooks.WeightNoise.scale": "float64", "model.num_layers": "int64", "model.tied": "bool", "schedule": "string"}
Row = dict[str, Any]


_OBJECTS = st.dictionaries(st.text(max_size=5), st.floats(-1e99, 1e99), max_size=3)
_TEXTS = st.lists(st.text(max_size=5), max_size=3)
_SPECIAL: dict[str, st.SearchStrategy[Any]] = {  # columns that are not any value of their type
    "status": st.sampled_from(STATUSES),
    "stage": st.sampled_from(["search", "confirm", "ablate"]),
    "design": st.sampled_from(["3x3", "2x3..9"]),
}
_NUMBERS = st.floats(-1e99, 1e99)
_PROMOTION = {"rung": st.floats(1e-99, 1e99), "value": _NUMBERS, "cutoff": _NUMBERS}
_PROMOTION |= dict.fromkeys(("reason", "stopped_at", "why", "at"), st.text(max_size=5))
_IN_JSON: dict[str, st.SearchStrategy[Any]] = {  # by column; one without a line here fails at once, not now and then
    "config": _OBJECTS,
    "overrides": _OBJECTS,
    "logged": _OBJECTS,
    "inert": _TEXTS,
    "undone": st.fixed_dictionaries({"changes": _TEXTS, "undone": _TEXTS}),
    "promotions": st.lists(st.fixed_dictionaries(_PROMOTION), min_size=1, max_size=3),
}


def _values(field: pa.Field[Any]) -> st.SearchStrategy[Any]:
    unit = (field.metadata or {})[b"unit"].decode()
    if field.name in _SPECIAL:
        return _SPECIAL[field.name]
    if unit == "JSON":
        return _IN_JSON[field.name].map(json.dumps)
    least, most = range_of(field.name, unit)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "double": st.floats(least, most),
        "int64": st.integers(max(-(2**63), int(least)), min(2**63 - 1, int(most))),
        "bool": st.booleans(),
        "string": st.text(max_size=20),
        "timestamp[us, tz=UTC]": st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)),
    }
    return kinds[str(field.type)]


def _never_null(columns: tuple[Column, ...]) -> set[str]:
    return {column.name for column in columns if not column.nullable}


def _rows(schema: pa.Schema) -> st.SearchStrategy[Row]:
    """Rows with all that one of any status and stage has, and any other columns or not."""
    needed = {
        *_never_null(TRIAL_COLUMNS),
        *TRAINED,
        "value",
        "rung",
        "last_value",
        "started_at",
        "arm",
        "round",
        "design",
        "undone",
    }
    needed = needed if "status" in schema.names else _never_null(REPORT_COLUMNS)
    fields = {f.name: _values(f) for f in schema if f.name != "key"}
    present = {"key": st.just("k1")} | {name: values for name, values in fields.items() if name in needed}
    others = {name: st.none() | values for name, values in fields.items() if name not in needed}
    return st.fixed_dictionaries(present, optional=others)


quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(row=_rows(trials_schema(KNOBS)))
def test_a_trial_comes_back_as_it_was_written(row: Row, tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store.create(tmp_path_factory.mktemp("runs") / "c", {}, KNOBS)
    store.write_trial(row)
    (found,) = Store.open(store.folder).trials()
    named = {} if row.get("campaign") is None else {"campaign": "c"}  # its folder
    assert found == dict.fromkeys(trials_schema(KNOBS).names) | row | named


@quick
@given(rows=st.lists(_rows(reports_schema()), min_size=1, max_size=4))
def test_reports_come_back_in_order_also_after_reopening(
    rows: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runs") / "c"
    store = Store.create(folder, {}, {})
    store.write_trial({**WHOLE, "key": "k1", "status": "running"})
    for row in rows:
        store.append_report(row)
        store = Store.open(folder)
    assert store.reports("k1", 0) == [dict.fromkeys(reports_schema().names) | row for row in rows]


def test_a_row_written_twice_is_stored_once(store: Store, make_trial: Callable[..., Row]) -> None:
    store.write_trial(make_trial(3, "running"))
    store.write_trial(make_trial(3, "completed", 1.5))
    (row,) = store.trials()
    assert (row["status"], row["value"]) == ("completed", 1.5)


def test_reports_go_on_after_the_trial_ended_and_started_again(store: Store) -> None:
    store.write_trial({**WHOLE, "key": "a", "status": "running"})
    store.append_report({"key": "a", "step": 1, "attempt": 1})
    store.write_trial({**WHOLE, "key": "a", "status": "interrupted"})
    store.append_report({"key": "a", "step": 1, "attempt": 2})
    assert [(r["attempt"], r["step"]) for r in store.reports("a", 0)] == [(1, 1), (2, 1)]


def test_a_fresh_campaign_opens_in_pandas(store: Store) -> None:
    trials, reports = pd.read_parquet(store.folder / "trials"), pd.read_parquet(store.folder / "reports")
    assert (len(trials), len(reports)) == (0, 0)
    assert {"key", "status", "optimizer.matrix_lr"} <= set(trials.columns)
    assert store.trials() == [] and store.reports("never-started", 0) == []


def test_pandas_keeps_whole_numbers_and_flags_with_gaps(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "c", {}, KNOBS)
    large = 2**60 + 1  # float64 cannot hold it
    store.write_trial(
        {**WHOLE, "key": "a", "status": "completed", "seed": large, "model.num_layers": 9, "model.tied": False}
    )
    store.write_trial({**WHOLE, "key": "b", "status": "crashed", "hooks.WeightNoise.scale": 0.5, "schedule": "Cosine"})
    frame = pd.read_parquet(store.folder / "trials").set_index("key")
    assert [str(frame[name].dtype) for name in ("seed", *KNOBS)] == ["Int64", "float64", "Int64", "boolean", "str"]
    assert frame["seed"].dropna().to_dict() == {"a": large, "b": 1337}
    assert frame["model.tied"].dropna().to_dict() == {"a": False}
    assert frame["schedule"].dropna().to_dict() == {"b": "Cosine"}


def test_loading_gives_what_pandas_gives(campaign: Path) -> None:
    results = load(campaign)
    plain = pd.read_parquet(campaign / "trials")
    assert list(results.trials["status"].cat.categories) == list(STATUSES)
    pd.testing.assert_frame_equal(results.trials.assign(status=results.trials["status"].astype(str)), plain)
    pd.testing.assert_frame_equal(results.reports, pd.read_parquet(campaign / "reports"))
    assert results.campaign["space"] == "parameter_golf"


def test_nan_and_infinity_are_kept_apart_from_null(store: Store) -> None:
    store.write_trial({**WHOLE, "key": "a", "status": "diverged", "train_loss": math.nan, "val_loss": math.inf})
    (row,) = store.trials()
    assert math.isnan(row["train_loss"]) and row["val_loss"] == math.inf and row["val_bpb"] is None


def test_numpy_numbers_are_taken(store: Store) -> None:
    store.write_trial({**WHOLE, "key": "a", "status": "running"})
    store.append_report({"key": "a", "attempt": 1, "step": np.int64(3), "train_loss": np.float32(0.5)})
    assert [(r["step"], r["train_loss"]) for r in store.reports("a", 0)] == [(3, 0.5)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"val_pbp": 1.0}, r"no column 'val_pbp': did you mean 'val_bpb'\?"),
        ({"optimizer.matrix_rl": 1.0}, r"did you mean 'optimizer\.matrix_lr'\?"),
        ({"status": "complete"}, r"status 'complete' does not exist: did you mean 'completed'\?"),
        ({"key": "../a"}, r"trial key '\.\./a' must begin with"),
        ({"key": "0-empty"}, "must be text other than '0-empty'"),
        ({"key": None}, "trial key None must be text"),
        ({"steps": 1.5}, r"steps is 1\.5 but must be a whole number"),
        ({"steps": 2**63}, "must be a whole number of at most 64 bits"),
        ({"steps": True}, "steps is true but must be a whole number"),
        ({"value": "1.5"}, r"value is '1\.5' but must be a number"),
        ({"is_base": 1}, "is_base is 1 but must be true or false"),
        ({"reason": 3}, "reason is 3 but must be text"),
        ({"overrides": "{'a': 1}"}, "overrides is .* but must be JSON"),
        ({"started_at": datetime(2026, 1, 1)}, "must be a datetime with a time zone"),
    ],
)
def test_a_bad_row_is_refused_by_name_and_changes_nothing(store: Store, row: Row, message: str) -> None:
    store.write_trial({**WHOLE, "key": "a", "status": "running", "steps": 1})
    with pytest.raises(ValueError, match=message):
        store.write_trial({**WHOLE, "key": "a", "status": "running"} | row)
    assert [r["steps"] for r in store.trials()] == [1]


def test_a_refused_report_is_not_stored_with_the_next(store: Store) -> None:
    store.write_trial({**WHOLE, "key": "a", "status": "running"})
    store.append_report({"key": "a", "attempt": 1, "step": 1})
    with pytest.raises(ValueError, match=r"no column 'stp': did you mean 'step'\?"):
        store.append_report({"key": "a", "stp": 2})
    store.append_report({"key": "a", "attempt": 1, "step": 3})
    assert [r["step"] for r in store.reports("a", 0)] == [1, 3]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write_trial({**WHOLE, "key": "a", "status": "running"})

    def full_disk(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="no space left"):
        store.write_trial({**WHOLE, "key": "a", "status": "completed"})
    assert [r["status"] for r in store.trials()] == ["running"]
    assert sorted(p.name for p in (store.folder / "trials").iterdir()) == ["0-empty.parquet", "part-000000.parquet"]


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "../up", "", "a b", "-x", "name\n"])
def test_a_campaign_name_that_is_no_plain_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="must begin with a letter or digit"):
        campaign_folder(tmp_path, name)


def test_a_campaign_is_not_created_over_another(store: Store) -> None:
    with pytest.raises(ValueError, match="already holds a campaign: resume it"):
        Store.create(store.folder, {}, {})


def test_a_campaign_is_not_created_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").touch()
    with pytest.raises(ValueError, match=r"already holds 'letter\.txt'"):
        Store.create(tmp_path / "home", {}, {})


def test_a_campaign_that_lost_its_description_is_not_written_over(campaign: Path) -> None:
    (campaign / "campaign.json").unlink()
    with pytest.raises(ValueError, match=r"already holds 'trials/"):
        Store.create(campaign, {}, {})


def test_a_campaign_whose_creation_was_cut_short_can_be_created_again(store: Store) -> None:
    (store.folder / "campaign.json").unlink()
    again = Store.create(store.folder, {"space": "ngpt"}, {"model.num_layers": "int64"})
    assert again.campaign["space"] == "ngpt" and "model.num_layers" in pd.read_parquet(store.folder / "trials")


def test_a_campaign_that_does_not_exist_is_answered_with_its_nearest_neighbour(campaign: Path) -> None:
    with pytest.raises(ValueError, match=r"made-pu is no campaign.*did you mean 'made-up'\?"):
        Store.open(campaign.parent / "made-pu")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema_version": 1, "kno', "cannot be read"),
        ("[]", "must hold an object with 'schema_version' and 'knobs'"),
        ('{"schema_version": 3, "knobs": {}}', "has schema_version 3 but this code reads up to 2"),
        ('{"schema_version": null, "knobs": {}}', "schema_version is null but must be a whole number"),
    ],
)
def test_a_campaign_file_that_cannot_be_used_is_named(store: Store, text: str, message: str) -> None:
    (store.folder / "campaign.json").write_text(text)
    with pytest.raises(ValueError, match=rf"campaign\.json .*{message}"):
        Store.open(store.folder)


def _damage(campaign: Path) -> list[Path]:
    """Three ways in which a file can be bad: cut short, empty, another schema."""
    cut, empty, foreign = (one_file_a_trial(campaign) / "trials" / f"{n:016x}.parquet" for n in (1, 2, 3))
    cut.write_bytes(cut.read_bytes()[:-100])
    empty.write_bytes(b"")
    pd.DataFrame({"key": ["x"]}).to_parquet(foreign)
    return [cut, empty, foreign]


def test_all_files_that_cannot_be_read_are_named_in_one_error(campaign: Path) -> None:
    damaged = _damage(campaign)
    with pytest.raises(ValueError, match="cannot be read") as caught:
        load(campaign)
    assert all(str(path) in str(caught.value) for path in damaged)


def test_a_resume_sets_damaged_files_aside_and_goes_on(campaign: Path) -> None:
    damaged = _damage(campaign)
    for path in (campaign / "reports" / f"{5:016x}.parquet", campaign / "reports" / "0-empty.parquet"):
        path.write_bytes(b"not parquet")
        damaged.append(path)
    seen: list[tuple[Path, str]] = []
    store = Store.open(campaign)
    store.set_damaged_aside(lambda path, why: seen.append((path, why)))
    orphans = {f"{n:016x}.parquet" for n in (1, 2, 3)}  # reports of the trials that are set aside
    assert {(path.parent.name, path.name) for path, _ in seen} == {
        *((path.parent.name, path.name) for path in damaged),
        *(("reports", name) for name in orphans),
    }
    assert all("cannot be read" in why or "has reports of a trial that has no row" in why for _, why in seen)
    assert sorted(r["number"] for r in store.trials()) == [0, 4, 5, 6, 7]
    assert len(pd.read_parquet(campaign / "trials")) == 5
    assert len(pd.read_parquet(campaign / "reports")) == 8
    assert store.reports(f"{5:016x}", 5) == []


def test_a_file_is_set_aside_beside_an_earlier_one(store: Store) -> None:
    path = store.folder / "trials" / "a.parquet"
    for content in (b"first", b"second"):
        path.write_bytes(content)
        Store.open(store.folder).set_damaged_aside(lambda path, why: None)
    aside = (store.folder / "damaged" / "trials").iterdir()
    assert sorted(p.read_bytes() for p in aside) == [b"first", b"second"]
