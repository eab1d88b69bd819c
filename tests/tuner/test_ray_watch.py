from __future__ import annotations

import os
import socket
import threading
from types import SimpleNamespace

import pytest
from ray.exceptions import LocalRayletDiedError, RaySystemError
from ray.tune import TuneError

from tuner import ray_shell, ray_watch
from tuner.driver import FAILED, EndedEarlyError, going_on_with
from tuner.lost import RayDiedError
from tuner.ray_shell import Recorder
from tuner.ray_watch import Unreachable, Watch, dead_child


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(ray_watch, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(ray_watch, "PATIENCE_SECONDS", 0.05)


def process(code: int) -> SimpleNamespace:
    return SimpleNamespace(returncode=code)


@pytest.mark.parametrize(
    ("dead", "said"),
    [
        ([("raylet", process(-9))], "its process raylet was killed by signal 9"),
        ([("log_monitor", process(1)), ("gcs_server", process(1))], "its process gcs_server ended with code 1"),
        ([("monitor", process(-9)), ("dashboard", process(1))], ""),
        ([], ""),
    ],
)
def test_ray_is_dead_without_its_raylet_or_its_gcs(dead, said) -> None:
    assert dead_child(dead) == said


def test_a_server_counts_as_dead_once_nobody_has_reached_it_for_a_while() -> None:
    now = [0.0]
    server = socket.create_server(("127.0.0.1", 0))
    there = Unreachable({"the head": server.getsockname()}, clock=lambda: now[0])
    now[0] = 100.0
    assert there.death() == ""
    port = server.getsockname()[1]
    server.close()
    now[0] = 100.0 + ray_watch.UNREACHABLE_SECONDS - 1
    assert there.death() == ""
    now[0] += 1
    assert there.death() == f"the head (127.0.0.1:{port}) cannot be reached: Connection refused"


def test_a_server_that_is_back_in_time_is_forgiven() -> None:
    now = [0.0]
    server = socket.create_server(("127.0.0.1", 0))
    there = Unreachable({"the head": server.getsockname()}, clock=lambda: now[0])
    now[0] = 14.0
    assert there.death() == ""
    server.close()
    now[0] = 28.0
    assert there.death() == ""


def test_a_death_is_raised_at_the_next_step_and_before_a_trials_error_counts(bench) -> None:
    search = bench.search()
    search.start(search.next().key)
    watch = Watch(lambda: "", lambda why: None)
    recorder = Recorder(search, watch=watch)
    recorder.on_step_begin(1, [])
    watch.died = "its raylet has gone"
    with pytest.raises(RayDiedError, match="its raylet has gone"):
        recorder.on_step_begin(2, [])
    with pytest.raises(RayDiedError):
        recorder.on_trial_error(2, [], SimpleNamespace(config={"key": bench.base_key}, error_file=None))
    assert bench.rows()[0]["status"] == "running"


def test_who_does_not_heed_a_death_is_ended_by_the_last_resort() -> None:
    called = threading.Event()
    reasons = []
    watch = Watch(lambda: "gone", lambda why: (reasons.append(why), called.set()))
    watch.start()
    assert called.wait(30) and reasons == ["gone"]


def test_there_is_no_last_resort_once_the_watch_is_over() -> None:
    called = threading.Event()
    watch = Watch(lambda: "" if watch._over.is_set() else "gone", lambda why: called.set())
    watch.stop()
    watch.start()
    watch._thread.join(30)
    assert not called.is_set()


def test_the_last_resort_closes_rows_as_interrupted_and_says_how_to_go_on(bench, monkeypatch, capsys) -> None:
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    search = bench.search()
    search.start(search.next().key)
    ray_shell.leave(search, "its raylet has gone")
    (row,) = bench.rows()
    assert row["status"] == "interrupted" and codes == [FAILED]
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "Ray has died: its raylet has gone" in line
    assert f"--resume {bench.folder.name}" in line


def failing_fit(monkeypatch, search, error) -> None:
    monkeypatch.setattr(ray_shell.tune.Tuner, "__init__", lambda self, *args, **options: None)

    def fit(self) -> None:
        search.start(search.next().key)
        raise error

    monkeypatch.setattr(ray_shell.tune.Tuner, "fit", fit)


@pytest.mark.parametrize("cause", [LocalRayletDiedError(), RaySystemError("the object store is gone")])
def test_an_error_of_rays_own_that_ends_tune_is_a_death_of_ray(bench, monkeypatch, cause) -> None:
    search = bench.search()
    error = RuntimeError("Caught unexpected exception")
    error.__cause__ = cause
    failing_fit(monkeypatch, search, error)
    with pytest.raises(EndedEarlyError, match=r"^Ray has died: .*Go on with: ") as ended, going_on_with(bench.folder):
        ray_shell.fit(search, {"cpu": 1.0})
    assert ended.value.code == FAILED and bench.rows()[0]["status"] == "interrupted"


def test_an_error_of_our_own_stays_one(bench, monkeypatch) -> None:
    search = bench.search()
    failing_fit(monkeypatch, search, TuneError("KeyError: 'ours'"))
    with pytest.raises(TuneError):
        ray_shell.fit(search, {"cpu": 1.0})
