from __future__ import annotations

import json
import math
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks import tables
from benchmarks.simulator import Job, Ours, Trace, simulate
from benchmarks.tables import PARTS, Row
from search_spaces.domains import Choice, Integer, LogUniform
from search_spaces.space import Knob

KNOBS = [
    Knob("rate", LogUniform(0.01, 1.0), "x"),
    Knob("kind", Choice("a", "b"), "x"),
    Knob("size", Integer(1, 5), "x"),
]


def falling(final: float) -> np.ndarray:
    """A curve whose order is the same at every part."""
    return final + 1.0 / np.arange(1, PARTS + 1) - 1.0 / PARTS


def made_up(count: int = 60, diverged: float = 0.0) -> tables.Table:
    """Best at a rate of 0.1 and kind b; rates above ``diverged`` end in NaN, where that is above 0."""
    draw, rows = np.random.default_rng(0), []
    for number in range(count):
        values = {"rate": 10 ** draw.uniform(-2, 0), "kind": "ab"[number % 2], "size": int(draw.integers(1, 6))}
        curve = falling(3.0 + abs(math.log10(values["rate"] / 0.1)) + 0.3 * (values["kind"] == "a"))
        if diverged and values["rate"] > diverged:
            curve[1:] = math.nan
        rows.append(Row(values, curve, seconds=9.0))
    return tables.make("made-up", rows, KNOBS)


class Everything:
    """A method that trains the first rows to their end."""

    def __init__(self, count: int, parts: tuple[int, ...] = (3, PARTS), stop_at: int | None = None) -> None:
        self.left, self.parts, self.stop_at, self.told = list(range(count)), parts, stop_at, []
        self.charged: dict[int, float] = {}

    def next(self) -> Job | None:
        return Job(str(self.left[0]), self.left.pop(0), self.parts, self.charged) if self.left else None

    def report(self, job: Job, part: int, value: float) -> bool:
        self.told.append((job.row, part, value))
        return part == self.stop_at


class Nearest(Everything):
    """A method that asks for the row nearest to one point, however often."""

    def __init__(self, table: tables.Table) -> None:
        super().__init__(0)
        self.table = table.fresh()

    def next(self) -> Job | None:
        row = self.table.space.nearest(self.table.rows[0].values)
        return Job(str(row), row, (PARTS,))


def test_a_method_that_has_tried_every_row_is_over() -> None:
    table = made_up(20)
    trace = simulate(table, Nearest(table), slots=5, budget=99)
    assert (trace.started, trace.compute, len(trace.finished)) == (20, pytest.approx(20.0), 20)


def test_compute_is_what_trials_have_trained_and_time_is_shared_by_the_slots() -> None:
    table = made_up()
    trace = simulate(table, Everything(6), slots=3, budget=99)
    assert (trace.compute, trace.seconds, trace.started) == (pytest.approx(6.0), 18.0, 6)
    assert len(trace.finished) == 6 and trace.best_at(99) == min(table.rows[row].final for row in range(6))
    assert trace.finished[0][0] > 2.7, "when the first of three has ended, the others have trained nearly as long"


def test_a_stopped_trial_costs_its_part_and_finds_nothing() -> None:
    trace = simulate(made_up(), Everything(6, stop_at=3), slots=2, budget=99)
    assert trace.compute == pytest.approx(6 * 3 / PARTS) and trace.finished == []


def test_a_rung_of_ours_between_two_ninths_is_charged_in_full_and_a_whole_trial_once() -> None:
    with closing(Ours(made_up(), 0, 1)) as driver:
        assert driver.next().charged == {2: 60 / 240, 4: 120 / 240, PARTS: 1.0}  # type: ignore[union-attr]
    whole, stopped = Everything(3), Everything(3, parts=(2, PARTS), stop_at=2)
    for method, cost in ((whole, 3.0), (stopped, 3 / 4)):
        method.charged = {2: 1 / 4, PARTS: 1.0}
        trace = simulate(made_up(), method, slots=1, budget=99)
        assert (trace.compute, trace.seconds) == (pytest.approx(cost), pytest.approx(9.0 * cost))


def test_a_method_sees_the_recorded_curve_and_a_diverged_trial_ends() -> None:
    table = made_up(diverged=0.5)
    gone = next(n for n, row in enumerate(table.rows) if math.isnan(row.final))
    method = Everything(gone + 1)
    trace = simulate(table, method, slots=1, budget=99)
    told = [(part, value) for row, part, value in method.told if row == 0]
    assert told == [(3, table.rows[0].curve[2]), (PARTS, table.rows[0].final)]
    assert [part for row, part, _ in method.told if row == gone] == [3]
    assert len(trace.finished) == gone


def test_the_budget_ends_a_campaign() -> None:
    assert simulate(made_up(), Everything(50), slots=4, budget=5.0).compute == pytest.approx(5.0, abs=0.7)


def ours(table: tables.Table, seed: int, slots: int, budget: float) -> Trace:
    with closing(Ours(table, seed, slots)) as driver:
        return simulate(table, driver, slots, budget)


def test_our_search_runs_on_a_table_and_stops_trials_early() -> None:
    table = made_up()
    with closing(Ours(table, 0, 4)) as driver:
        trace = simulate(table, driver, 4, budget=25)
        entries = driver.search.ledger.entries.values()
    stopped = [entry.row["rung"] for entry in entries if entry.row["status"] == "stopped"]
    assert len(stopped) > 10 and {60.0, 120.0} == set(stopped), "at the rungs that its campaigns have"
    assert trace.started >= 35 and len(stopped) + len(trace.finished) >= trace.started - 4
    assert trace.best_at(25) - table.best < 0.1


def test_a_seed_decides_a_simulated_campaign() -> None:
    table = made_up()
    first, again, other = (ours(table, seed, 3, 8).finished for seed in (1, 1, 2))
    assert first == again != other


def test_the_base_is_the_first_row_and_is_never_stopped() -> None:
    table = made_up()
    trace = ours(table, seed=0, slots=1, budget=1)
    assert trace.finished == [(pytest.approx(1.0), table.rows[0].final)]


def test_the_nearest_row_of_a_row_is_itself() -> None:
    table = made_up()
    assert [table.space.nearest(row.values) for row in table.rows] == list(range(len(table.rows)))
    with pytest.raises(tables.AllTriedError):
        table.space.nearest(table.rows[0].values)
    assert table.fresh().space.nearest(table.rows[7].values) == 7


def test_a_row_is_given_once_unless_the_rows_cover_the_space() -> None:
    table = made_up()
    first, second = (table.space.nearest(table.rows[3].values) for _ in range(2))
    assert first == 3 != second
    whole = tables.make("whole", table.rows, KNOBS, covers=True)
    assert [whole.space.nearest(table.rows[3].values) for _ in range(2)] == [3, 3]


def test_a_knob_that_is_not_active_differs_from_every_value() -> None:
    knobs = [Knob("kind", Choice("a", "b"), "x"), Knob("rate", LogUniform(0.1, 1.0), "x", {"kind": ("b",)})]
    rows = [
        Row({"kind": "a"}, falling(3), 1.0),
        *(Row({"kind": "b", "rate": r / 30}, falling(3), 1.0) for r in range(3, 30)),
    ]
    table = tables.make("conditional", rows, knobs)
    assert table.space.nearest({"kind": "a"}) == 0
    assert table.space.nearest({"kind": "b", "rate": 0.104}) == 1


def test_a_curve_between_its_points_lies_between_them_and_one_that_diverged_has_no_end() -> None:
    curve = tables._at_parts(np.array([0.0, 0.5, 1.0]), np.array([10.0, 5.0, 4.0]))
    assert curve[-1] == 4.0 and list(curve) == sorted(curve, reverse=True) and 5 < curve[0] < 10
    gone = tables._at_parts(np.array([0.0, 0.5]), np.array([10.0, 5.0]), diverged=True)
    assert np.isfinite(gone[:4]).all() and np.isnan(gone[4:]).all()


def test_a_recorded_file_becomes_a_table_and_too_few_rows_do_not(tmp_path) -> None:
    record = {
        "values": {"optimizer.matrix_lr": 0.05, "model.mlp": "Relu2"},
        "status": "completed",
        "curve": {"0.1111": 3.0, "1.0000": 2.0},
        "seconds": 1.0,
    }
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for _ in range(20)))
    table = tables.read(file)
    assert [knob.path for knob in table.space.knobs] == ["optimizer.matrix_lr", "model.mlp"] and table.best == 2.0
    file.write_text(json.dumps(record))
    with pytest.raises(ValueError, match="has 1 usable runs but needs at least 20"):
        tables.read(file)


def test_the_logs_of_a_speedrun_become_one_row_a_script_at_equal_progress(tmp_path) -> None:
    runs, curves = [], []
    for script in range(40):
        for seed in range(2):
            name, steps = f"{script}-{seed}", 900 + 9 * script
            config = json.dumps(
                {"Muon.lr": 0.01 * (script % 4), "GPT.model_dim": 768} | ({"rare": 1} if script < 5 else {})
            )
            track = "track_1_short/x" if script == 39 else "track_3_optimization/x"
            last = steps if script != 38 else steps // 2  # one that was cut off
            runs.append([name, track, 9, last, steps, f"sha{script}", config])
            curves += [[name, steps * part // 9, 5.0 - part / 9 - 0.001 * script + 0.1 * seed] for part in range(10)]
    columns = ["run_id", "experiment", "n_val_points", "last_step", "total_steps", "source_sha1", "config"]
    pd.DataFrame(runs, columns=columns).to_csv(tmp_path / "runs.csv")
    pd.DataFrame(curves, columns=["run_id", "step", "val_loss"]).to_parquet(tmp_path / "curves.parquet")
    table = tables.read(tmp_path)
    assert len(table.rows) == 38 and [knob.path for knob in table.space.knobs] == ["Muon.lr"]
    assert table.rows[7].curve == pytest.approx([5.0 - part / 9 - 0.007 for part in range(1, 10)], abs=2e-3)
    assert table.best == pytest.approx(4.0 - 0.037)
    assert table.space.values_of(replace(table.base, seed=3)) == {"Muon.lr": "0.03"}
