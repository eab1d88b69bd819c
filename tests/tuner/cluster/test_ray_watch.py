from __future__ import annotations

import os
import socket
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from ray.exceptions import LocalRayletDiedError, RaySystemError
from ray.tune import TuneError

from terminal.exit_codes import FAILED
from tuner.campaign.driver import going_on_with
from tuner.campaign.endings import EndedEarlyError
from tuner.cluster import ray_tune, ray_watch
from tuner.cluster.ray_tune import Recorder
from tuner.cluster.ray_watch import Servers, Watch, dead_child
from tuner.failures import RayDiedError


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


class Server:
    """Takes connections as the kernel does for it, and answers while it is ``awake``."""

    def __init__(self, answer: bytes = b"settings") -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address, self.answer = self.socket.getsockname(), answer
        self.awake = threading.Event()
        self.awake.set()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.awake.wait()
                assert connection.recv(100) == ray_watch.PREFACE
                connection.sendall(self.answer)

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def after(asked: Servers, now: list[float], seconds: float) -> str:
    """What it says of a death once so many seconds have passed, in each of which it was asked."""
    for _ in range(int(seconds)):
        now[0] += 1
        assert asked.death() == ""
    now[0] += 1
    return asked.death()


@pytest.fixture
def now(monkeypatch) -> list[float]:
    monkeypatch.setattr(ray_watch, "ANSWER_SECONDS", 0.02)
    monkeypatch.setattr(ray_watch, "LOOK_SECONDS", 1.0)
    return [0.0]


def test_a_server_counts_as_dead_once_nobody_has_reached_it_for_a_while(now) -> None:
    server = Server()
    there = Servers({"the head": server.address}, clock=lambda: now[0])
    assert after(there, now, 100) == ""
    server.close()
    said = f"the head (127.0.0.1:{server.address[1]}) cannot be reached: Connection refused"
    assert after(there, now, ray_watch.UNREACHABLE_SECONDS) == said


def test_a_server_that_takes_connections_and_never_answers_counts_as_dead_after_a_minute(now) -> None:
    server = Server()
    server.awake.clear()
    there = Servers({"its raylet": server.address}, clock=lambda: now[0])
    said = f"its raylet (127.0.0.1:{server.address[1]}) has not answered for 60 s"
    assert after(there, now, ray_watch.SILENT_SECONDS) == said
    server.awake.set()


@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x01"])
def test_a_server_that_only_hangs_up_or_wants_tls_lives(now, answer) -> None:
    server = Server(answer)
    there = Servers({"the head": server.address}, clock=lambda: now[0])
    assert after(there, now, 100) == ""
    server.close()


def test_while_the_driver_itself_was_stopped_nobody_has_failed(now) -> None:
    server = Server()
    server.awake.clear()
    there = Servers({"its raylet": server.address}, clock=lambda: now[0])
    assert after(there, now, 10) == ""
    now[0] += 1000
    assert there.death() == ""
    server.awake.set()
    now[0] += 1
    while there.failing:  # it answers what waits, one by one
        assert there.death() == ""
    server.close()


def test_a_server_that_is_back_in_time_is_forgiven(now) -> None:
    server = Server()
    there = Servers({"the head": server.address}, clock=lambda: now[0])
    for _ in range(5):
        server.awake.clear()
        assert after(there, now, 40) == ""
        server.awake.set()
        while there.failing:  # it answers what waits, one by one
            assert there.death() == ""
    server.close()


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
    ray_tune.leave(search, "its raylet has gone")
    (row,) = bench.rows()
    assert row["status"] == "interrupted" and codes == [FAILED]
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "Ray has died: its raylet has gone" in line
    assert f"--resume {bench.folder.name}" in line


def failing_fit(monkeypatch, search, error) -> None:
    monkeypatch.setattr(ray_tune.tune.Tuner, "__init__", lambda self, *args, **options: None)

    def fit(self) -> None:
        search.start(search.next().key)
        raise error

    monkeypatch.setattr(ray_tune.tune.Tuner, "fit", fit)


@pytest.mark.parametrize("cause", [LocalRayletDiedError(), RaySystemError("the object store is gone")])
def test_an_error_of_rays_own_that_ends_tune_is_a_death_of_ray(bench, monkeypatch, cause) -> None:
    search = bench.search()
    error = RuntimeError("Caught unexpected exception")
    error.__cause__ = cause
    failing_fit(monkeypatch, search, error)
    with pytest.raises(EndedEarlyError, match=r"^Ray has died: .*Go on with: ") as ended, going_on_with(bench.folder):
        ray_tune.fit(search, {"cpu": 1.0})
    assert ended.value.code == FAILED and bench.rows()[0]["status"] == "interrupted"


@pytest.mark.parametrize("over", [True, False])
def test_a_ray_that_dies_once_the_search_is_over_does_not_take_its_end(bench, monkeypatch, over) -> None:
    search = bench.search()
    if over:
        search.stop("the hours are over")
    else:
        search.start(search.next().key)
    monkeypatch.setattr(ray_tune, "watched", lambda last_resort: nullcontext(watch))
    watch = Watch(lambda: "", lambda why: None)
    watch.died = "its process raylet has not answered for 60 s"
    monkeypatch.setattr(ray_tune.tune.Tuner, "__init__", lambda self, *args, **options: None)
    monkeypatch.setattr(ray_tune.tune.Tuner, "fit", lambda self: watch.check())
    with nullcontext() if over else pytest.raises(RayDiedError, match="has not answered"):
        ray_tune.fit(search, {"cpu": 1.0})
    assert [row["status"] for row in bench.rows()] == ([] if over else ["interrupted"])


def test_an_error_of_our_own_stays_one(bench, monkeypatch) -> None:
    search = bench.search()
    failing_fit(monkeypatch, search, TuneError("KeyError: 'ours'"))
    with pytest.raises(TuneError):
        ray_tune.fit(search, {"cpu": 1.0})
