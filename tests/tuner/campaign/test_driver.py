from __future__ import annotations

import errno
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from ray.tune import TuneError

from results.store import row_writer
from storage import files, inside
from tuner import run, start
from tuner.campaign.driver import going_on_with, only_driver
from tuner.campaign.endings import EndedEarlyError
from tuner.cluster import ray_tune


def recorded(call, search):
    """A call of the search as the callbacks make it."""

    def inside(*arguments):
        with ray_tune.remembered(search):
            return call(*arguments)

    return inside


def refuse(code: int):
    def replace(folder: Path, name: str, content: bytes, **how: bool) -> None:
        raise OSError(code, os.strerror(code), str(folder / name))

    return replace


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the disk is full"), (errno.EROFS, "Read-only file system")],
)
def test_results_that_cannot_be_written_are_one_line_that_says_how_to_go_on(monkeypatch, code, words) -> None:
    folder = Path("results/runs/a")
    monkeypatch.setattr(files, "is_file", lambda path: path == folder / "campaign.json")
    with pytest.raises(EndedEarlyError) as ended, going_on_with(folder):
        raise OSError(code, os.strerror(code), "runs/a/trials/x")
    line = str(ended.value)
    assert words in line and "'runs/a/trials/x'" in line and line.endswith("Go on with: python -m tuner.run --resume a")
    assert "\n" not in line and ended.value.code == 1


def test_a_folder_whose_lock_cannot_be_taken_is_bad_input(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written"), only_driver(tmp_path / "file" / "a"):
        pass


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("after", [0, 1, 5, 6, 11, 20])
def test_a_disk_that_fills_up_ends_the_campaign_and_loses_nothing(bench, play, monkeypatch, code, after) -> None:
    search = bench.search(trials=6, slots=2)
    written = 0

    def fills_up(real):
        def change(folder: Path, name: str, content: bytes, **how: bool) -> None:
            nonlocal written
            written += 1
            (refuse(code) if written > after else real)(folder, name, content, **how)

        return change

    monkeypatch.setattr(ray_tune.tune.Tuner, "__init__", lambda self, *args, **options: None)

    def fit(tuner) -> None:
        for name in ("start", "report", "end", "next"):
            monkeypatch.setattr(search, name, recorded(getattr(search, name), search))
        try:
            play(search, checkpoint_chance=0.5).run()
        except OSError:  # as Tune hands it on
            raise TuneError("Traceback ...") from None

    monkeypatch.setattr(ray_tune.tune.Tuner, "fit", fit)
    with monkeypatch.context() as full:
        for name in ("write", "append"):
            full.setattr(inside, name, fills_up(getattr(inside, name)))
        with pytest.raises(OSError) as caught:
            ray_tune.fit(search, {"cpu": 1.0})
    assert caught.value.errno == code
    before = {row["key"]: row for row in bench.rows() if row["status"] == "completed"}
    again = play(bench.search(trials=6)).run()
    assert not before.keys() & set(again.started)
    after_all = {row["key"]: row for row in bench.rows()}
    assert len([r for r in after_all.values() if r["status"] != "infeasible"]) == 6
    assert {row["status"] for row in after_all.values()} <= {"completed", "stopped", "infeasible"}
    assert all(after_all[key]["value"] == row["value"] for key, row in before.items())


def test_a_trial_whose_end_could_not_be_written_keeps_its_checkpoint(bench, result_of, monkeypatch) -> None:
    search = bench.search(trials=1)
    request = search.next()
    search.start(request.key)
    request.begun().save({"position": 100})
    result = result_of(bench.base, 240.0, 1.5, "completed")
    for name in ("write", "append"):
        monkeypatch.setattr(inside, name, refuse(errno.ENOSPC))
    with pytest.raises(OSError):
        search.report(request.key, result)
    with pytest.raises(OSError):
        search.end(request.key, result)
    monkeypatch.undo()
    assert bench.search(trials=1).next().checkpoints == ["a1-1.safetensors"]


def test_the_command_says_in_one_line_that_the_disk_is_full(monkeypatch, capsys) -> None:
    monkeypatch.setattr(start, "begin", lambda *args: refuse(errno.ENOSPC)(Path("runs"), "a", b""))
    assert run.main(["--space", "parameter_golf"]) == 1
    errors = capsys.readouterr().err
    assert "the disk is full ('runs/a')" in errors and errors.count("\n") == 1


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 512 KiB; only root can make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("this process may not mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_real_full_disk_keeps_every_file_whole_and_a_resume_with_room_finishes(
    bench, play, small_disk, monkeypatch
) -> None:
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 1e9)  # or the log is emptied before it fills the disk, if slowly
    bench.folder = small_disk / "campaign"
    search = bench.search(trials=40, slots=2)
    with pytest.raises(OSError) as caught:
        play(search).run()
    assert caught.value.errno == errno.ENOSPC
    with suppress(OSError):
        search.abandon()
    done = {row["key"]: row["value"] for row in bench.rows() if row["status"] == "completed"}
    assert done
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    again = play(bench.search(trials=40)).run()
    rows = {row["key"]: row for row in bench.rows()}
    assert not done.keys() & set(again.started) and {key: rows[key]["value"] for key in done} == done
    assert {row["status"] for row in rows.values()} <= {"completed", "stopped", "infeasible"}


@pytest.mark.parametrize("status", ["completed", "stopped"])
def test_the_curve_of_a_trial_is_durable_before_its_end_is(bench, result_of, monkeypatch, status) -> None:
    search = bench.search(trials=1)
    request = search.next()
    search.start(request.key)
    durable: list[str] = []
    real_append, real_write = inside.append, inside.write

    def append(folder: Path, name: str, content: bytes, *, durable: bool = True) -> None:
        real_append(folder, name, content, durable=durable)
        note(name, durable)

    def write(folder: Path, name: str, content: bytes, *, durable: bool = True) -> None:
        real_write(folder, name, content, durable=durable)
        note(name, durable)

    def note(name: str, is_durable: bool) -> None:
        if is_durable:
            durable.append(name)

    monkeypatch.setattr(inside, "append", append)
    monkeypatch.setattr(inside, "write", write)
    monkeypatch.setattr(inside, "sync", lambda folder, name: durable.append(name))
    curve = {"steps": [1], "tokens": None, "values": {"loss": [1.0]}, "units": {"loss": "nats"}}
    result = {**result_of(bench.base, 60.0, 1.5, "running"), "curve": curve}
    search.report(request.key, result)
    assert not durable, "a trial that runs waits for no disk"
    if status == "completed":
        result = {**result_of(bench.base, 240.0, 1.5, "completed"), "curve": curve}
        search.report(request.key, result)
    search.end(request.key, result)
    changed = f"curves/{request.key}.parquet"
    assert changed in durable
    assert "rows.log" in durable[durable.index(changed) :]
