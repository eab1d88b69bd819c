"""A store that takes connections and never answers: one line after a while, and a signal ends the wait."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

import results
from results import compact, compare, fidelity, report
from storage import remote, waiting
from storage.location import Url
from tuner import export, run, sample, status

NIGHT = "gs://mute/runs/night"
READERS: dict[str, tuple[Callable[..., int], list[str]]] = {
    "list": (run.main, ["--list", "--results", "gs://mute/runs"]),
    "run": (run.main, ["--space", "parameter_golf", "--results", "gs://mute/runs", "--name", "night"]),
    "dry run": (run.main, ["--space", "parameter_golf", "--results", "gs://mute/runs", "--dry-run"]),
    "resume": (run.main, ["--resume", NIGHT]),
    "reuse": (run.main, ["--space", "parameter_golf", "--reuse", NIGHT, "--dry-run"]),
    "status": (status.main, [NIGHT]),
    "report": (report.main, [NIGHT]),
    "compare": (compare.main, [NIGHT, "gs://mute/runs/day"]),
    "compact": (compact.main, [NIGHT, "to"]),
    "fidelity": (fidelity.main, [NIGHT]),
    "export": (export.main, [NIGHT]),
    "sample": (sample.main, [NIGHT, "--prompt", "a"]),
}


@pytest.fixture
def mute(monkeypatch) -> Iterator[None]:
    """Google Cloud and S3 are a server that says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(100)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", address)
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-secret")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for made in (remote._s3, remote._by_url):
            made.cache_clear()
        yield
        for made in (remote._s3, remote._by_url):
            made.cache_clear()


@pytest.fixture
def short(monkeypatch) -> None:
    monkeypatch.setattr(waiting, "FIRST_ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(waiting, "_limited", True)
    monkeypatch.setattr(waiting, "_answered", set())


@pytest.mark.parametrize("command", READERS)
def test_every_command_ends_with_one_line(command, mute, short, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    main, arguments = READERS[command]
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr().err
    assert code in (1, 2) and said.count("\n") == 1, said
    assert "no answer from gs://mute within 0.2 s: is the network there, and the address right?" in said
    assert not list(tmp_path.rglob("*"))


def test_python_gets_the_line_too(mute, short) -> None:
    with pytest.raises((OSError, ValueError), match="no answer from gs://mute within"):
        results.load(NIGHT)


def test_a_store_that_has_answered_is_waited_for(bucket, short, monkeypatch) -> None:
    """Its answer to a question that takes longer than the first one may."""
    with monkeypatch.context() as patch:
        patch.setattr(waiting, "FIRST_ANSWER_SECONDS", 60)
        remote.write(Url("s3://bucket/waiting/a"), b"here")
    assert waiting._answered == {"s3://bucket"}
    assert waiting.waiting("s3://bucket", lambda: time.sleep(0.4) or "late") == "late"
    with pytest.raises(TimeoutError, match="no answer from s3://other"):
        waiting.waiting("s3://other", lambda: time.sleep(0.4))


def test_a_store_that_refuses_has_not_answered_but_one_that_lacks_a_file_has(short) -> None:
    def failing(error: Exception) -> None:
        raise error

    with pytest.raises(OSError, match="refused"):
        waiting.waiting("s3://other", lambda: failing(OSError("refused")))
    assert waiting._answered == set()
    with pytest.raises(FileNotFoundError):
        waiting.waiting("s3://other", lambda: failing(FileNotFoundError()))
    assert waiting._answered == {"s3://other"}


def test_a_worker_waits_as_long_as_the_libraries_do(short) -> None:
    waiting.wait_for_stores()
    assert waiting.waiting("gs://mute", lambda: time.sleep(0.4) or "late") == "late"


@pytest.mark.parametrize("answered", [True, False])
def test_a_signal_ends_the_wait(answered, monkeypatch) -> None:
    """Also of a store that has answered before; what it cuts into has a moment to end by itself."""
    monkeypatch.setattr(waiting, "_answered", {"s3://other"} if answered else set())
    monkeypatch.setattr(waiting, "GRACE_SECONDS", 0.1)
    release, began = threading.Event(), time.monotonic()
    threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        waiting.waiting("s3://other", release.wait)
    release.set()
    assert time.monotonic() - began < 10


@pytest.mark.slow
@pytest.mark.parametrize("url", ["gs://mute/runs", "s3://mute/runs"])
def test_sigterm_ends_a_program_at_once(url, mute) -> None:
    command = [sys.executable, "-m", "tuner.run", "--list", "--results", url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(4)
    assert process.poll() is None, "it waits"
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143 and said == "python -m tuner.run: interrupted\n"
    assert time.monotonic() - began < 8
