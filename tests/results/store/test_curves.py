"""Training curves in a campaign's folder: written whole, read by us and by pandas, and refused where they are none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results import Store, load
from results.compact import compact
from results.curves import wide_curves
from results.store import limits, parquet
from results.store.curves import SCHEMA, CurveArrays, TrainingCurve
from results.store.row_types import CURVE_COLUMNS
from tests.one_file_a_trial import one_file_a_trial

KEYS = [f"{number:016x}" for number in range(3)]
UNITS = {"loss": "nats/token", "gradient_norm": "made up", "learning_rate.matrix": "factor"}


def curve(steps: Sequence[int] = range(1, 6), tokens: bool = True, **values: Sequence[float]) -> TrainingCurve:
    steps = list(steps)
    found = {name: [number + step / 7 for step in steps] for number, name in enumerate(UNITS)} | values
    return TrainingCurve(
        steps, [64 * step for step in steps] if tokens else None, found, {name: UNITS[name] for name in found}
    )


@pytest.fixture
def folder(campaign: Path) -> Path:
    """The made-up campaign, with curves of three of its trials."""
    store = Store.open(campaign)
    for number, key in enumerate(KEYS):
        store.write_curve(key, number, curve(range(1, 6 + number)))
    return campaign


def test_a_curve_is_read_as_it_was_written(folder: Path) -> None:
    store = Store.open(folder)
    assert store.curve(KEYS[1]) == curve(range(1, 7))
    assert store.curve(f"{5:016x}") is None
    store.write_curve(KEYS[1], 1, curve([1, 3], tokens=False))
    assert store.curve(KEYS[1]) == curve([1, 3], tokens=False), "it replaces the one before"


def test_what_was_measured_less_often_is_absent_at_the_other_steps(folder: Path) -> None:
    store = Store.open(folder)
    sparse = replace(curve(), values={"loss": [1.0] * 5, "gradient_norm": [math.nan, 0.5]})
    sparse = replace(sparse, units={n: UNITS[n] for n in sparse.values}, measured_at={"gradient_norm": [2, 4]})
    store.write_curve(KEYS[0], 0, sparse)
    kept = store.curve(KEYS[0])
    assert kept is not None and kept.measured_at == sparse.measured_at and kept.steps == sparse.steps
    assert kept.tokens == sparse.tokens and kept.values["gradient_norm"][1] == 0.5
    found = load(folder).curves
    assert len(found[found["number"] == 0]) == 7 and found[found["name"] == "gradient_norm"]["tokens"].iloc[1] == 4 * 64
    wide = wide_curves(found)[lambda rows: rows["number"] == 0].set_index("step")
    assert wide["gradient_norm"].notna().tolist() == [False, False, False, True, False] and len(wide) == 5
    arrays = CurveArrays.of(dict(load(folder).each_curve())[KEYS[0]])
    assert arrays.steps_of("gradient_norm").tolist() == [2, 4] and arrays.tokens_of("gradient_norm").tolist() == [
        128,
        256,
    ]
    assert arrays.steps_of("loss").tolist() == [1, 2, 3, 4, 5]


def test_pandas_reads_what_load_gives_whatever_the_names_are(folder: Path) -> None:
    other = replace(curve(), values={"loss": [1.0] * 5, "learning_rate.rest": [0.5] * 5})
    Store.open(folder).write_curve(KEYS[0], 0, replace(other, units=dict.fromkeys(other.values, "?")))
    found = load(folder).curves
    pd.testing.assert_frame_equal(found, pd.read_parquet(folder / "curves"))
    assert list(found.columns) == [column.name for column in CURVE_COLUMNS]
    assert [str(found[name].dtype) for name in ("name", "unit", "step")] == ["category", "category", "Int64"]
    assert set(found["name"].cat.categories) == {*UNITS, "learning_rate.rest"}
    assert len(found) == 2 * 5 + 3 * 6 + 3 * 7


def test_a_wide_frame_has_a_row_a_step_and_a_column_a_name(folder: Path) -> None:
    Store.open(folder).write_curve(
        KEYS[0], 0, TrainingCurve([10], None, {"reported_value": [0.25]}, {"reported_value": "?"})
    )
    found = wide_curves(load(folder).curves)
    assert list(found.columns) == ["number", "step", "tokens", "reported_value", *UNITS]
    assert found["number"].tolist() == [0] + [1] * 6 + [2] * 7
    first, last = found.iloc[0], found.iloc[-1]
    assert first["reported_value"] == 0.25 and first[["tokens", *UNITS]].isna().all()
    assert last["step"] == 7 and last["tokens"] == 448 and last["learning_rate.matrix"] == 3.0


def test_a_campaign_without_curves_has_empty_frames(store: Store) -> None:
    found = load(store.folder).curves
    assert found.empty and wide_curves(found).columns.tolist() == ["number", "step", "tokens"]
    pd.testing.assert_frame_equal(found, pd.read_parquet(store.folder / "curves"))
    for part in (store.folder / "curves").iterdir():
        part.unlink()
    (store.folder / "curves").rmdir()  # as a campaign from before there were any
    assert load(store.folder).curves.empty and store.curve(KEYS[0]) is None
    store.set_damaged_aside(lambda place, why: pytest.fail(why))
    assert pd.read_parquet(store.folder / "curves").empty, "a resume makes the folder"


def test_units_and_meanings_are_in_the_files(folder: Path) -> None:
    for part in (folder / "curves").glob("*.parquet"):
        for field in pq.read_schema(part):
            assert {b"unit", b"meaning"} <= (field.metadata or {}).keys(), field.name


def test_a_compacted_campaign_has_none(campaign: Path, tmp_path: Path, make_trial: Callable[..., Any]) -> None:
    store = Store.open(campaign)
    store.write_trial(make_trial(7, "completed", 2.0))
    store.write_curve(KEYS[0], 0, curve())
    compact(campaign, tmp_path / "kept")
    assert not (tmp_path / "kept" / "curves").exists() and load(tmp_path / "kept").curves.empty
    with pytest.raises(ValueError, match="is compacted"):
        Store.open(tmp_path / "kept").write_curve(KEYS[0], 0, curve())


# --- what is none -----------------------------------------------------------------------------------------------------

SAID = {
    "unlike lengths": (curve(loss=[1.0]), "'loss' has 1 value at 5 steps"),
    "its own steps without a value": (
        replace(curve(loss=[1.0]), measured_at={"loss": [1, 2]}), "'loss' has 1 value at 2 steps"
    ),
    "a step of its own": (
        replace(curve(), values={"loss": [1.0] * 5, "gradient_norm": [1.0]}, measured_at={"gradient_norm": [9]}),
        "a name has a step that the first of its names has not",
    ),
    "own steps that fall": (
        replace(curve(), values={"loss": [1.0] * 5, "gradient_norm": [1.0] * 2}, measured_at={"gradient_norm": [3, 2]}),
        "steps do not rise",
    ),
    "tokens of some steps": (replace(curve(), tokens=[64]), "'tokens' has 1 value at 5 steps"),
    "text for numbers": (curve(loss=["a"] * 5), "could not convert string to float"),  # type: ignore[arg-type]
    "nothing for numbers": (curve(loss=[None] * 5, gradient_norm=5), "it is no curve"),  # type: ignore[arg-type]
    "no steps at all": (TrainingCurve(None, None, {}, {}), "it is no curve"),  # type: ignore[arg-type]
    "no unit": (replace(curve(), units={}), "it is no curve: .*loss"),
    "a step beyond every count": (curve([2**70]), "it is no curve"),
    "half a character": (TrainingCurve([1], [1], {"\ud800": [1.0]}, {"\ud800": "s"}), "surrogates not allowed"),
    "steps that fall": (curve([1, 3, 2]), "steps do not rise"),
    "a step twice": (curve([1, 1]), "steps do not rise"),
    "step of less than nothing": (curve([-1, 2]), "step is -1 but must be 0 to"),
    "a value beyond every scale": (curve(loss=[1.0, 1e101, 1.0, 1.0, 1.0]), r"value is 1e\+101 but must be -1e\+100"),
    "a long name": (TrainingCurve([1], [1], {"x" * 2**20: [1.0]}, {"x" * 2**20: "s"}), "name has 1,048,576 characters"),
    "no name": (TrainingCurve([1], [1], {"": [1.0]}, {"": "s"}), "name is '' but must be text that can be printed"),
    "an escape": (TrainingCurve([1], [1], {"\x1b[2J": [1.0]}, {"\x1b[2J": "s"}), "name is .* but must be text that"),
    "an escape in a unit": (TrainingCurve([1], [1], {"a": [1.0]}, {"a": "\x07"}), "unit is .* but must be text"),
    "too many names": (
        TrainingCurve([1], [1], {str(n): [1.0] for n in range(1001)}, {str(n): "s" for n in range(1001)}),
        "it has 1001 kinds of name but may have at most 1000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SAID)
def test_what_could_not_be_read_again_is_not_written(what: str, folder: Path) -> None:
    store, (wrong, said) = Store.open(folder), SAID[what]
    with pytest.raises(ValueError, match=said):
        store.write_curve(KEYS[0], 0, wrong)
    notes: list[tuple[str, str]] = []
    store.on_refused = lambda *note: notes.append(note)
    store.write_curve(KEYS[0], 0, wrong)  # in a search: training is worth more than its curve
    assert len(notes) == 1 and notes[0][0] == f"the curve of trial {KEYS[0]!r} was not written"
    assert store.curve(KEYS[0]) == curve(), "the one before stays"


def test_values_of_a_run_that_diverged_need_not_be_finite(folder: Path) -> None:
    Store.open(folder).write_curve(KEYS[0], 0, curve([1, 2, 3], loss=[math.inf, -math.inf, math.nan]))
    found = load(folder).curves
    assert found[(found["number"] == 0) & (found["name"] == "loss")]["value"].isna().sum() == 1


def cell(name: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    """The change of the first row's cell."""

    def change(table: pa.Table) -> pa.Table:
        index, kind = SCHEMA.get_field_index(name), SCHEMA.field(name).type
        values = [value, *table[name].to_pylist()[1:]]
        plain = pa.string() if name in TEXTS else kind
        return table.set_column(index, SCHEMA.field(name), pa.array(values, plain).cast(kind))

    return change


TEXTS = ("key", "name", "unit")
HOSTILE: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    **{f"{c.name} null": (cell(c.name, None), f"{c.name} is null") for c in CURVE_COLUMNS if not c.nullable},
    "tokens null": (cell("tokens", None), "tokens is not the same for all of its names"),
    "another key": (cell("key", KEYS[1]), f"its rows are of {KEYS[1]!r}"),
    "another number": (cell("number", 9), "its rows are of trials 9 and 0"),
    "steps unlike": (cell("step", 0), "a name has a step that the first of its names has not"),
    "names mixed": (cell("name", "gradient_norm"), "not sorted by name"),
    "a name of its own": (cell("name", "other"), "a name has a step that the first of its names has not"),
    "two units": (cell("unit", "made up"), "a name has two units"),
    "no row": (lambda table: table.slice(0, 0), "it holds no row"),
    "half of the first name": (lambda table: table.slice(2), "a name has a step that the first of its names has not"),
    "a column more": (lambda table: table.append_column("x", table["value"]), "columns are not those"),
    "a column less": (lambda table: table.drop_columns(["unit"]), "it has no column 'unit'"),
    "text for a number": (lambda table: table.set_column(5, "value", table["key"]), "columns are not those"),
    "too many rows": (lambda table: pa.concat_tables([table] * 7_000), "105,000 rows but may hold at most 100,000"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_what_somebody_wrote_is_refused_by_name_and_set_aside_by_a_resume(what: str, folder: Path) -> None:
    path = folder / "curves" / f"{KEYS[0]}.parquet"
    change, said = HOSTILE[what]
    pq.write_table(change(pq.ParquetFile(path).read()), path)
    for read in (
        lambda: load(folder).curves,
        lambda: Store.open(folder).curve(KEYS[0]),
        Store.open(folder).check_curves,
    ):
        with pytest.raises(ValueError, match=f"{path} cannot be read: .*{said}") as error:
            read()
        assert "\n" not in str(error.value) and len(str(error.value)) < 400
    assert not load(folder).trials.empty and not load(folder).reports.empty, "who asks for no curve is not held up"
    seen: list[str] = []
    Store.open(folder).set_damaged_aside(lambda place, why: seen.append(place.name))
    assert seen == [f"{KEYS[0]}.parquet"]
    assert set(load(folder).curves["number"]) == {1, 2}


def test_a_damaged_byte_or_a_cut_is_found(folder: Path) -> None:
    path = folder / "curves" / f"{KEYS[0]}.parquet"
    whole = path.read_bytes()
    for content in (whole[:-9], whole[: len(whole) // 2], b"", whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{path} cannot be read"):
            _ = load(folder).curves


def test_a_long_text_that_is_repeated_is_refused_before_it_is_laid_out(folder: Path) -> None:
    """One name of 60 MB at 100 steps: some kilobytes on disk, 6 GB as text."""
    path, name, count = folder / "curves" / f"{KEYS[0]}.parquet", "x" * 60_000_000, 100
    columns = {f.name: pa.nulls(count, f.type) for f in SCHEMA} | {"key": pa.array([KEYS[0]] * count)}
    columns["name"] = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([name]))
    pq.write_table(pa.table(columns, SCHEMA), path, compression="zstd")
    assert path.stat().st_size < limits.MIB
    with pytest.raises(ValueError, match=r"name has a text of 60,000,000 bytes"):
        _ = load(folder).curves


def test_a_curve_of_no_trial_is_said_and_set_aside(folder: Path) -> None:
    (one_file_a_trial(folder) / "trials" / f"{KEYS[1]}.parquet").unlink()
    with pytest.raises(ValueError, match=f"{KEYS[1]}.parquet has curves of a trial that has no row .*sets them aside"):
        Store.open(folder).curves()
    seen: list[str] = []
    Store.open(folder).set_damaged_aside(lambda place, why: seen.append(f"{place.parent.name}: {why}"))
    assert len(seen) == 2 and any("has curves of a trial that has no row" in why for why in seen)
    assert set(load(folder).curves["number"]) == {0, 2}


def test_a_curve_under_the_number_of_another_trial_is_not_believed_and_set_aside(folder: Path) -> None:
    file = folder / "curves" / f"{KEYS[1]}.parquet"
    file.write_bytes(parquet.of_many_rows(curve().table(KEYS[1], 2)))
    said = f"{KEYS[1]}.parquet has the number 2, but the row of its trial has 1"
    with pytest.raises(ValueError, match=said):
        _ = load(folder).curves
    seen: list[str] = []
    Store.open(folder).set_damaged_aside(lambda place, why: seen.append(why))
    assert len(seen) == 1 and said in seen[0]
    assert set(load(folder).curves["number"]) == {0, 2}


@pytest.mark.parametrize("key", ["../x", "0-empty", "", "a/b"])
def test_a_curve_has_the_key_of_a_trial(key: str, store: Store) -> None:
    with pytest.raises(ValueError, match="trial key"):
        store.write_curve(key, 0, curve())
