"""A trial's row comes before all else of it: at no moment is there a report or a curve of a trial that has no row."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from results import Store
from results.store import row_files, row_writer
from results.store.names import TRIALS_A_PART
from storage import files, inside
from storage.location import Location, Url
from tests.results.conftest import START, WHOLE

CURVE = {"steps": [1], "tokens": [64], "values": {"loss": [2.0]}, "units": {"loss": "nats/token"}}
NUMBERS = (0, TRIALS_A_PART, 1, 2 * TRIALS_A_PART)


@pytest.fixture(params=["disk", "bucket"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    return tmp_path / "night" if request.param == "disk" else Url(f"memory://{uuid.uuid4().hex}/night")


def trial(number: int) -> Any:
    return {**WHOLE, "key": f"k{number}", "number": number, "status": "running", "started_at": START}


def report(number: int, step: int = 1) -> Any:
    return {"key": f"k{number}", "attempt": 1, "step": step, "at": START}


EARLY: dict[str, Callable[[Store], Any]] = {
    "reports": lambda store: store.append_report(report(300)),
    "reports at once": lambda store: store.replace_reports("k300", [report(300)]),
    "curves": lambda store: store.write_curve("k300", 300, CURVE),
}


@pytest.mark.parametrize("what", EARLY)
def test_what_comes_before_its_trials_row_is_refused_and_leaves_nothing(folder: Location, what: str) -> None:
    store = Store.create(folder, {}, {})
    store.write_trial(trial(0))
    kind = what.partition(" ")[0]
    with pytest.raises(ValueError, match=f"^trial 'k300' has no row yet: it is written before its {kind}$"):
        EARLY[what](store)
    store.settle(at_once=True)
    assert [len(table) for table in Store.open(folder).tables()] == [1, 0] and not len(Store.open(folder).curves())
    store.write_trial(trial(300))
    EARLY[what](store)
    assert len(Store.open(folder).reports("k300", 300)) == (kind == "reports")
    assert len(Store.open(folder).curves()) == (kind == "curves")


def test_a_curve_has_the_number_of_its_trial(folder: Location) -> None:
    store = Store.create(folder, {}, {})
    store.write_trial(trial(3))
    with pytest.raises(ValueError, match=r"^trial 'k3' has the number 3, but its curve is given 4$"):
        store.write_curve("k3", 4, CURVE)
    assert not len(Store.open(folder).curves())


def test_a_trial_that_another_store_has_written_is_known(folder: Location) -> None:
    store = Store.create(folder, {}, {})
    store.write_trial(trial(0))
    Store.open(folder).write_trial(trial(1))
    store.append_report(report(1))
    assert store.write_curve("k1", 1, CURVE) and len(Store.open(folder).reports("k1", 1)) == 1


def act(store: Store) -> None:
    """What a driver does: rows and reports in turn, some rows replaced, and now and then the parts are brought up."""
    for number in NUMBERS:
        store.write_trial(trial(number), durable=False)
        store.replace_reports(f"k{number}", [])
        for step in (1, 2):
            store.append_report(report(number, step), durable=False)
        store.write_curve(f"k{number}", number, CURVE)
        store.write_trial({**trial(number), "status": "completed", "value": 1.0})
        store.settle(at_once=number != 1)
    store.replace_reports("k0", [report(0, 3)])


def test_a_reader_finds_the_trial_of_each_report_before_and_after_each_change_of_a_file(
    folder: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 1e9)
    store, looked = Store.create(folder, {}, {}), list[int]()

    def look() -> None:
        trials, reports = Store.open(folder).tables()
        assert {*reports["key"].to_pylist()} <= {*trials["key"].to_pylist()}
        assert {*Store.open(folder).curves()["key"].to_pylist()} <= {*trials["key"].to_pylist()}
        if isinstance(folder, Path):  # by whoever reads the Parquet files alone, reports first
            reported = pd.read_parquet(folder / "reports")["key"]
            assert {*reported} <= {*pd.read_parquet(folder / "trials")["key"]}
        looked.append(len(reports))

    for name in ("write", "append", "remove", "rename"):
        real = getattr(inside, name)

        def changed(*given: Any, real: Any = real, **how: Any) -> None:
            look()
            real(*given, **how)
            look()

        monkeypatch.setattr(inside, name, changed)
    act(store)
    assert len(looked) > 40 and max(looked) == 8 and looked[-1] == 7
    assert len({*looked}) >= 8, "at each report"


def test_a_reader_whose_every_read_is_overtaken_finds_the_trial_of_each_report(
    folder: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two reads of files the writer does its next thing."""
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 1e9)
    store, found = Store.create(folder, {}, {}), list[tuple[int, int]]()
    to_do = [lambda number=number: write(store, number) for number in (*NUMBERS, 2, 3)]
    real = files.read

    def overtaken(*arguments: Any) -> bytes:
        with monkeypatch.context() as patch:
            patch.setattr(files, "read", real)
            if to_do:
                to_do.pop(0)()
        return real(*arguments)

    while to_do:
        reader = Store.open(folder)
        with monkeypatch.context() as patch:
            patch.setattr(row_files.files, "read", overtaken)
            trials, reports = reader.tables()
        assert {*reports["key"].to_pylist()} <= {*trials["key"].to_pylist()}
        found.append((len(trials), len(reports)))
    assert found == sorted(found) and found[0][0] > found[0][1] / 2, "there was something to overtake"


def write(store: Store, number: int) -> None:
    store.write_trial(trial(number))
    for step in (1, 2):
        store.append_report(report(number, step))
    store.settle(at_once=number % 2 == 0)
