"""What every tracker promises; one that is added to the catalogue is held to it without being listed here.

Each is tried with a recording stand-in of its package, and with the package itself where that is installed: of the
four, CI has TensorBoard.
"""

from __future__ import annotations

import importlib
import json
import sys
import uuid
from pathlib import Path

import pytest

from results.design import Design
from storage.location import location
from tests.tuner.trackers.stand_ins import READERS, STAND_INS, StandIn
from tuner.trackers.catalogue import TRACKERS

EVERY = [pytest.param((name, "stand-in"), id=f"{name}-stand-in") for name in STAND_INS] + [
    # A package's own warnings are not ours to mend.
    pytest.param((name, "real"), id=f"{name}-real", marks=pytest.mark.filterwarnings("default"))
    for name in TRACKERS
]


@pytest.fixture(params=EVERY)
def tracked(request, monkeypatch, tmp_path, bench):
    """A tracker, and what reads back the runs that it has."""
    name, how = request.param
    monkeypatch.chdir(tmp_path)
    if how == "stand-in":
        service = StandIn()
        monkeypatch.setitem(sys.modules, name, STAND_INS[name](service, tmp_path))
        return TRACKERS[name], lambda: service.runs, service
    for variable, value in {
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "TRACKIO_DIR": str(tmp_path / "trackio"),
    }.items():
        monkeypatch.setenv(variable, value)
    package = pytest.importorskip(name)
    if name == "wandb":  # its settings are of a process
        package.teardown()
    if name == "trackio":  # it reads its folder when it is imported
        from trackio import sqlite_storage, utils

        for module in (sqlite_storage, utils):
            monkeypatch.setattr(module, "TRACKIO_DIR", tmp_path / "trackio")
    return TRACKERS[name], lambda: READERS[name](Path(bench.folder)), None


def same_points(seen, wanted) -> None:
    assert set(wanted) <= set(seen)
    for name, points in wanted.items():
        found = sorted((step, each) for step, each, _ in seen[name].points)
        assert found == sorted((step, each) for step, each, _ in points), name
        values = {(step, each): value for step, each, value in seen[name].points}
        assert values == {(step, each): pytest.approx(value, rel=1e-5) for step, each, value in points}, name


def test_every_tracker_has_a_stand_in_or_is_read_back() -> None:
    assert set(READERS) == set(TRACKERS) and set(STAND_INS) == set(TRACKERS) - {"tensorboard"}
    assert all(importlib.import_module(kind.__module__) for kind in TRACKERS.values())


def test_it_has_every_run_point_config_tag_and_row_once(tracked, bench, with_curves, follow, end, wanted) -> None:
    kind, read, _ = tracked
    search = bench.search(trials=5, confirm=Design(1, 2, 2))
    direct, telling = follow(search, kind)
    with_curves(search).run()
    assert end(search, direct, telling) == 0, direct.said
    seen = read()
    same_points(seen, wanted())
    assert set(seen) == {*wanted(), bench.folder.name} and not any(run.is_open for run in seen.values())
    rows = {row["number"]: row for row in bench.rows() if row["config"] != "null"}
    assert {row["stage"] for row in rows.values()} == {"search", "confirm"}
    for name, run in seen.items():
        assert run.group == bench.folder.name
        if name == bench.folder.name:
            assert run.tags >= {"campaign", "completed"} and str(run.config["space"]) == "toy"
            continue
        row = rows[int(name.split()[1].rstrip(":"))]
        assert run.tags == {row["stage"], row["status"]} | ({"base"} if row["is_base"] else set())
        asked = json.loads(row["config"])
        assert run.config["optimizer.type"] == asked["optimizer"]["type"] and float(run.config["seed"]) == row["seed"]
        assert float(run.config["optimizer.matrix_lr"]) == pytest.approx(asked["optimizer"]["matrix_lr"])
        if row["value"] is not None:
            assert float(run.row["value"]) == pytest.approx(row["value"])


@pytest.mark.parametrize("events", [3, 11, 22])
def test_a_campaign_that_was_killed_and_is_resumed_goes_on_with_the_same_runs(
    tracked, bench, with_curves, follow, end, wanted, events
) -> None:
    kind, read, _ = tracked
    search = bench.search(trials=5)
    direct, _ = follow(search, kind)
    with_curves(search).run(events)
    direct.follower.tracker.close()  # as its process does when the driver is gone
    search = bench.search(trials=5)
    direct, telling = follow(search, kind)
    with_curves(search, seed=1).run()
    assert end(search, direct, telling) == 0, direct.said
    same_points(read(), wanted())
    assert len(wanted()) == 5


def test_a_campaign_that_is_sent_again_adds_nothing(tracked, bench, with_curves, follow, end, wanted) -> None:
    kind, read, service = tracked
    for _ in range(3):
        search = bench.search(trials=4)
        direct, telling = follow(search, kind)
        with_curves(search).run()
        calls = 0 if service is None else service.calls
        assert end(search, direct, telling) == 0, direct.said
        same_points(read(), wanted())
    assert service is None or service.calls - calls < 6, "runs that are whole are left alone"


def test_what_fails_is_tried_again_and_is_whole_in_the_end(tracked, bench, with_curves, follow, end, wanted) -> None:
    kind, read, service = tracked
    if service is None:
        pytest.skip("the real one does not fail when it is told to")
    service.failing = {1, 2, 5, 9, 10, 30}
    search = bench.search(trials=5)
    direct, telling = follow(search, kind)
    player = with_curves(search)
    while player.step():
        direct.now += 100.0  # longer than the pause after a failure
    search.abandon()
    telling.the_rest()
    for _ in range(10):
        if (lacking := direct.follower.finish(0)) == 0:
            break
    assert lacking == 0 and {"failed": "ConnectionError: 503 \x1b[31mnot now"} in direct.said
    same_points(read(), wanted())


def test_a_campaign_in_an_object_store_is_followed_too(
    bench, with_curves, follow, end, wanted, monkeypatch, tmp_path
) -> None:
    service, bench.folder = StandIn(), location(f"memory://{uuid.uuid4().hex}/runs/night")
    monkeypatch.setitem(sys.modules, "trackio", STAND_INS["trackio"](service, tmp_path))
    search = bench.search(trials=4)
    direct, telling = follow(search, TRACKERS["trackio"])
    with_curves(search).run()
    assert end(search, direct, telling) == 0, direct.said
    same_points(service.runs, wanted())
    assert len(wanted()) == 4 and service.runs["night"].group == "night"
