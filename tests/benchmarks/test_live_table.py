from __future__ import annotations

import math
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import pytest

from benchmarks import live_table
from benchmarks.live_table import LiveCurve, LiveTable
from benchmarks.simulator import Ours, simulate
from benchmarks.tables import PARTS
from search_spaces import load
from search_spaces.domains import LogUniform
from search_spaces.space import Knob
from trainable.config import Budget, TrainConfig
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train

RATE = Knob("optimizer.matrix_lr", LogUniform(0.001, 0.5), "x")


@pytest.fixture
def base(tiny: TrainConfig) -> TrainConfig:
    return replace(tiny, budget=Budget(steps=18))


@pytest.fixture
def table(base, dataset) -> LiveTable:
    return live_table.make(replace(load("parameter_golf"), knobs=(RATE,)), base, dataset, (2, 4, PARTS))


def test_a_row_is_trained_as_far_as_it_is_looked_at_and_its_values_are_those_of_the_run(table, base, dataset) -> None:
    row = table.rows[table.space.nearest({"optimizer.matrix_lr": 0.1})]
    first = row.curve[1]
    assert list(row.curve.known) == [2] and math.isnan(row.final)
    whole = list(train(Run.start(row.config, dataset, Runtime()), [4.0, 8.0]))
    assert [first, row.curve[3], row.curve[PARTS - 1]] == [report.val_bpb for report in whole]
    assert row.final == whole[-1].val_bpb and row.config.seed == base.seed


def test_equal_values_are_one_row_and_the_base_is_the_first(table) -> None:
    assert table.space.nearest(table.rows[0].values) == 0
    assert [table.space.nearest({"optimizer.matrix_lr": 0.1}) for _ in range(2)] == [1, 1]
    assert len(table.fresh().rows) == 1 and table.rows[0].seconds == 1.0


def test_values_that_make_no_run_are_refused_to_our_search_and_never_finite_for_others(table) -> None:
    bad = {"optimizer.matrix_lr": 7.0}
    assert math.isnan(table.rows[table.space.nearest(bad)].curve[PARTS - 1])
    with pytest.raises(ValueError, match="no valid run"):
        table.space.config(table.base, bad)


def test_a_run_that_has_diverged_has_no_values_from_there() -> None:
    reports = [SimpleNamespace(status="running", val_bpb=3.0), SimpleNamespace(status="diverged", val_bpb=9.0)]
    curve = LiveCurve(iter(reports), "val_bpb", (2, 4, PARTS))
    assert curve[1] == 3.0 and math.isnan(curve[3]) and math.isnan(curve[PARTS - 1])


def test_our_search_trains_on_it_and_ends_at_the_target(table) -> None:
    with closing(Ours(table, seed=0, slots=2)) as driver:
        trace = simulate(driver.table, driver, 2, budget=3.0)
        assert trace.compute >= 3.0 and trace.started >= 3
        assert sum(PARTS in row.curve.known for row in driver.table.rows) == len(trace.finished)
    with closing(Ours(table, seed=0, slots=2)) as driver:
        ended = simulate(driver.table, driver, 2, budget=3.0, target=trace.finished[0][1])
        assert ended.finished == trace.finished[:1] and ended.compute < trace.compute
