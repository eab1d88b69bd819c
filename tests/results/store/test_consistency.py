"""A folder whose files can be read one by one, and which still is no campaign that can be believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from results import Store, load
from results.compact import compact
from results.report import main
from results.store.schema import trials_schema
from tests.one_file_a_trial import one_file_a_trial

Row = dict[str, Any]


@pytest.fixture
def confirmed(store: Store, make_trial: Callable[..., Row]) -> Store:
    """A search of two trials, and a round of confirmation with what was undone of its winner."""
    make_trial_at = [make_trial(0, "completed", 1.9), make_trial(1, "completed", 1.5, {"schedule": "Cosine"})]
    for number, (stage, arm, seed, is_base) in enumerate(
        [
            ("confirm", 0, 7, True), ("confirm", 1, 7, False), ("confirm", 0, 8, True), ("confirm", 1, 8, False),
            ("ablate", 5, 7, False), ("ablate", 5, 8, False),
        ]
    ):  # fmt: skip
        row = make_trial(2 + number, "completed", 1.5, {"schedule": "Cosine"})
        row |= {"stage": stage, "round": 0, "design": "1x2", "arm": f"{arm:016x}", "seed": seed, "is_base": is_base}
        row["undone"] = json.dumps({"changes": ["schedule"], "undone": ["schedule"]}) if stage == "ablate" else None
        make_trial_at.append(row)
    for row in make_trial_at:
        store.write_trial(row)
        store.append_report({"key": row["key"], "attempt": 1, "step": 1})
    return store


def change(store: Store, which: int, cells: Row) -> None:
    """Write other cells into the row of a trial, as only somebody else does."""
    (row,) = [row for row in store.trials() if row["number"] == which]
    (one_file_a_trial(store.folder) / "trials" / f"{row['key']}.parquet").unlink()  # a trial keeps its number
    Store.open(store.folder).write_trial({**row, **cells})


CONTRADICTIONS: dict[str, tuple[int, Row, str]] = {
    "two trials of one number": (1, {"number": 0}, "two trials with the number 0"),
    "two runs of an arm on a seed": (4, {"seed": 7}, "two runs of '0000000000000000' on seed 7 in round 0"),
    "two designs": (3, {"design": "1x3"}, "that the design is another"),
    "a design of its own in what was undone": (6, {"design": "3x3..9"}, "that the design is another"),
    "two bases": (4, {"arm": f"{9:016x}"}, "that the base is another"),
    "a candidate that is the base": (3, {"arm": f"{0:016x}", "seed": 9}, "is a run of the base in round 0, but"),
    "other changes of the winner": (7, {"undone": '{"changes": ["x"], "undone": ["x"]}'}, "that the list of changes"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_rows_that_contradict_each_other_are_refused_in_one_line(case, confirmed, capsys) -> None:
    assert len(load(confirmed.folder).rows) == 8 and main([str(confirmed.folder)]) == 0
    capsys.readouterr()
    number, cells, said = CONTRADICTIONS[case]
    change(confirmed, number, cells)
    with pytest.raises(ValueError, match=rf"trials cannot be believed: .*{said}"):
        load(confirmed.folder)
    assert main([str(confirmed.folder)]) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1 and len(errors) < 500
    names = sorted(str(path) for path in confirmed.folder.rglob("*"))
    (confirmed.folder / "trials" / "damaged.parquet").write_bytes(b"x")
    with pytest.raises(ValueError, match="cannot be believed"):
        Store.open(confirmed.folder).set_damaged_aside(lambda path, why: pytest.fail("nothing is renamed"))
    (confirmed.folder / "trials" / "damaged.parquet").unlink()
    assert names == sorted(str(path) for path in confirmed.folder.rglob("*"))


def test_a_search_has_one_set_of_data(tmp_path: Path, make_trial: Callable[..., Row]) -> None:
    for name, more in (("search", {}), ("replay", {"replay": {"selections": ["x"], "reading": "as_run", "seeds": 1}})):
        store = Store.create(tmp_path / name, {"data": "made-up", **more}, {})
        names = trials_schema({}).names
        for number, data in enumerate(("made-up", "another")):
            row = make_trial(number, "completed", 1.0) | {"data": data}
            store.write_trial({column: value for column, value in row.items() if column in names})
        if more:
            assert len(load(store.folder).trials) == 2
        else:
            with pytest.raises(ValueError, match="was trained on other data than the campaign: 'another'"):
                load(store.folder)


def test_reports_of_a_trial_without_a_row_are_refused_and_set_aside_by_a_resume(confirmed, tmp_path, capsys) -> None:
    lost = f"{1:016x}"
    compact(confirmed.folder, tmp_path / "kept")
    (one_file_a_trial(confirmed.folder) / "trials" / f"{lost}.parquet").unlink()
    with pytest.raises(
        ValueError, match=f"{lost}.parquet has reports of a trial that has no row .* a resume sets them"
    ):
        load(confirmed.folder)
    said: list[str] = []
    Store.open(confirmed.folder).set_damaged_aside(lambda path, why: said.append(path.name))
    assert said == [f"{lost}.parquet"]
    assert lost not in set(load(confirmed.folder).reports["key"]) and len(load(confirmed.folder).reports) == 7

    trials = tmp_path / "kept" / "trials" / "part-0.parquet"
    pq.write_table(pq.read_table(trials).slice(1), trials)
    with pytest.raises(ValueError, match=r"reports has reports of a trial that has no row .* it was not copied whole"):
        load(tmp_path / "kept")


@pytest.mark.parametrize("dataset", ["trials", "reports"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda table: table.select([]), "has no column 'key'"),
        (lambda table: table.slice(0, 0).select([]), "has no column 'key'"),
        (lambda table: table.slice(0, 0), "it holds no row"),
        (lambda table: table.drop_columns(["attempt"]), "has no column 'attempt'"),
    ],
    ids=["no column", "no column and no row", "no row", "without a needed column"],
)
def test_a_file_of_a_trial_without_its_row_is_refused(campaign: Path, dataset, damage, said, capsys) -> None:
    path = one_file_a_trial(campaign) / dataset / f"{1:016x}.parquet"
    pq.write_table(damage(pq.read_table(path)), path)
    assert main([str(campaign)]) == 2
    errors = capsys.readouterr().err
    assert path.name in errors and said in errors and errors.count("\n") == 1
    aside: list[str] = []
    Store.open(campaign).set_damaged_aside(lambda path, why: aside.append(path.name))
    assert set(aside) == {path.name} and main([str(campaign)]) == 0


def test_the_part_without_rows_keeps_its_columns_for_pandas(campaign: Path) -> None:
    path = campaign / "trials" / "0-empty.parquet"
    whole = path.read_bytes()
    pq.write_table(pq.read_table(path).select([]), path)
    with pytest.raises(ValueError, match=r"0-empty\.parquet cannot be read: it has no column 'key'"):
        load(campaign)
    Store.open(campaign).set_damaged_aside(lambda path, why: None)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("column", ["number", "attempt", "round"])
def test_what_is_counted_by_one_has_a_limit(store: Store, make_trial: Callable[..., Row], column) -> None:
    row = make_trial(0, "completed", 1.0) | {column: 2**62}
    with pytest.raises(ValueError, match=f"{column} is 4611686018427387904 but must be 0 to 1e\\+06"):
        store.write_trial(row)


def test_a_trial_with_a_config_says_which_data_and_budget_it_had(store: Store, make_trial: Callable[..., Row]) -> None:
    row = make_trial(0, "infeasible", None) | {"config": "{}", "data": None}
    with pytest.raises(ValueError, match="data is null, but a trial with a config has one"):
        store.write_trial(row)
    store.write_trial(row | {"config": "null"})
