from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest
import ray
from ray._private import ray_constants, services

from tuner.cluster import connect, own_ray
from tuner.cluster.leftovers import RECORD, OwnRayRecord

ELSEWHERE = {
    "RAY_ADDRESS": "http://127.0.0.1:8265",
    "RAY_NAMESPACE": "theirs",
    "RAY_JOB_CONFIG_JSON_ENV_VAR": '{"runtime_env": {"working_dir": "gcs://theirs.zip"}}',
    "RAY_RUNTIME_ENV_HOOK": "no.such.hook",
    "RAY_REDIS_ADDRESS": "10.0.0.1:6379",
    "RAY_GCS_SERVER_PORT": "6379",
    "RAY_AUTH_TOKEN": "theirs",
    "RAY_AUTH_MODE": "disabled",
    "RAY_USE_TLS": "1",
}


@pytest.fixture
def started(monkeypatch):
    """What Ray is told, and the environment in which."""
    seen = {}
    monkeypatch.setattr(ray, "init", lambda **options: seen.update(options, environment=dict(os.environ)))
    return seen


@pytest.fixture
def temporary(monkeypatch, tmp_path_factory):
    """The only folders for temporary files that there are."""

    def only(*folders: Path) -> None:
        monkeypatch.setattr(own_ray, "bases", lambda: iter(folders))

    return only


@pytest.fixture
def short():
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        yield Path(folder)


def test_what_the_environment_says_of_other_clusters_is_not_heard_and_comes_back(monkeypatch, started) -> None:
    for name, value in ELSEWHERE.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    own_ray.start(2)
    inside = started["environment"]
    assert not [name for name in ELSEWHERE if name in inside and name != "RAY_AUTH_MODE"]
    assert started["address"] == "local" and inside["RAY_AUTH_MODE"] == "token"
    own_ray.stop()
    assert dict(os.environ) == before


def test_nothing_is_shipped_to_the_workers_of_a_driver_that_uv_runs(started) -> None:
    own_ray.start(1)
    assert not ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV
    assert started["_skip_env_hook"] is True


def test_its_address_is_the_loopback_interface_while_it_runs(started) -> None:
    clusters = ray_constants.ENABLE_RAY_CLUSTER
    own_ray.start(1)
    assert services.get_node_ip_address() == "127.0.0.1"
    assert started["environment"]["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"
    own_ray.stop()
    assert clusters == ray_constants.ENABLE_RAY_CLUSTER


def test_its_files_are_for_one_user_and_are_gone_when_it_is(started) -> None:
    own_ray.start(1)
    token = Path(started["environment"]["RAY_AUTH_TOKEN_PATH"])
    folder = token.parent
    assert stat.S_IMODE(token.stat().st_mode) == 0o600 and len(token.read_text()) == 64
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and Path(started["_temp_dir"]).parent == folder
    assert OwnRayRecord.read(folder).driver[0] == os.getpid()
    first = token.read_text()
    own_ray.stop()
    assert not folder.exists()
    own_ray.start(1)
    assert Path(os.environ["RAY_AUTH_TOKEN_PATH"]).read_text() != first


@pytest.mark.parametrize("breach", ["address", "token"])
def test_a_ray_that_lets_others_in_is_ended_at_once(monkeypatch, started, breach) -> None:
    if breach == "address":
        monkeypatch.setattr(ray.util, "get_node_ip_address", lambda: "10.0.0.1")
    else:
        monkeypatch.setattr(own_ray, "get_authentication_mode", lambda: None)
    said = "listens on 10.0.0.1 instead of" if breach == "address" else "does not ask for a token"
    with pytest.raises(ValueError, match=f"^Ray did not start on this machine: it {said}"):
        connect.connect(concurrent=1)
    assert not own_ray.is_running()


def test_a_long_or_closed_folder_for_temporary_files_is_passed_over(temporary, short, tmp_path) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    file = short / "file"
    file.write_text("")
    temporary(long, file, short)
    found = own_ray.closed_folder()
    assert found.parent == short and [path.name for path in long.iterdir()] == []


def test_where_no_folder_serves_the_line_says_which_were_tried_and_what_to_do(temporary, tmp_path) -> None:
    long = tmp_path / ("long" * 20)
    temporary(long, Path("/nowhere"))
    with pytest.raises(ValueError, match="Ray did not start") as refused:
        connect.connect(concurrent=1)
    line = str(refused.value)
    assert f"{long} is longer than {own_ray.LONGEST_BASE} characters" in line
    assert "/nowhere: No such file or directory" in line
    assert f"set TMPDIR to a folder that you can write, of at most {own_ray.LONGEST_BASE} characters" in line


def test_the_wanted_folder_comes_first_and_each_once(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("RAY_TMPDIR", "/wanted")
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    found = list(own_ray.bases())
    assert found[0] == Path("/wanted") and found.count(Path("/tmp")) == 1


def test_the_longest_socket_below_the_longest_base_is_within_the_systems_limit() -> None:
    session = "session_2026-11-28_04-42-37_388262_4194304"  # the largest id of a process
    path = "/" * own_ray.LONGEST_BASE + f"/tuner-abcdefgh/r/{session}/sockets/plasma_store"
    assert len(path) == 107 or len(path) == 103


def test_what_killed_runs_left_is_told_before_a_start(monkeypatch, started, temporary, short) -> None:
    temporary(short)
    left = short / "tuner-ijklmnop"
    left.mkdir()
    OwnRayRecord((2**22 + 5, 1.0)).write(left)
    said: list[str] = []
    connect.connect(concurrent=1, say=said.append)
    assert said == [f"an earlier run was killed (process {2**22 + 5}): removed {left}"]
    assert (Path(os.environ["RAY_AUTH_TOKEN_PATH"]).parent / RECORD).exists()


def test_each_worker_of_the_tests_has_its_rays_apart_from_those_of_the_others() -> None:
    """Of its own campaigns only may a command of a test find what was killed (tests/conftest.py)."""
    shared = {Path("/tmp"), Path(tempfile.gettempdir())}
    assert next(own_ray.bases()) == Path(os.environ["RAY_TMPDIR"]) and next(own_ray.bases()) not in shared
