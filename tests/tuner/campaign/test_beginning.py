"""A campaign begins once: alone, under a name that is its own, and only when all that can fail has been tried."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from results.store.campaign_folder import Store
from results.store.campaigns import CAMPAIGN
from storage import files, inside
from storage.location import Location, Url, location
from tuner.campaign import beginning, object_store_lock
from tuner.campaign.beginning import create, folder_for
from tuner.campaign.driver import only_driver
from tuner.campaign.lock import BusyError

PAIRS = 20
RECORD = {"space": "toy", "scale": "proxy", "objective": "val_bpb", "trials": 3, "created_at": "now"}


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(object_store_lock, "BEAT_SECONDS", 0.3)
    monkeypatch.setattr(object_store_lock, "WATCH_SECONDS", 3.0)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each of the calls gives or raises, where all of them begin in one moment."""
    gate, found = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int) -> None:
        gate.wait()
        try:
            found[number] = calls[number]()
        except ValueError as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def starting(results: Location, name: str | None, usual: str, both: threading.Barrier) -> Callable[[], Location]:
    """A start that holds its campaign until the other has begun, or was turned away."""

    def start() -> Location:
        try:
            with folder_for(results, name, usual) as folder:
                create(folder, RECORD, {})
                both.wait()
                return folder
        except ValueError:
            both.wait()
            raise

    return start


def test_starts_in_the_same_moment_are_campaigns_of_their_own(tmp_path) -> None:
    for number in range(PAIRS):
        usual, both = f"golf-{number}x", threading.Barrier(2)
        found = at_once(*[starting(tmp_path / "runs", None, usual, both)] * 2)
        assert sorted(folder.name for folder in found) == [usual, f"{usual}-2"]
    assert len(files.names(tmp_path / "runs")) == 2 * PAIRS


def test_a_name_that_a_living_process_holds_is_refused_before_anything_is_started(tmp_path) -> None:
    with folder_for(tmp_path, "night", "") as folder:
        with pytest.raises(BusyError, match="'night' is being run by another process: choose another --name"):
            beginning.check_free(tmp_path, "night", RECORD)
        create(folder, RECORD, {})
        with pytest.raises(BusyError, match="'night' is being run by another process: choose another --name"):
            beginning.check_free(tmp_path, "night", RECORD)
    beginning.check_free(tmp_path, "night", {**RECORD, "knobs": {}})


def test_of_two_starts_with_one_name_one_begins(tmp_path) -> None:
    for number in range(PAIRS):
        found = at_once(*[starting(tmp_path / "runs", f"night{number}", "", threading.Barrier(2))] * 2)
        refused = [result for result in found if isinstance(result, BusyError)]
        assert len(refused) == 1 and "is being run by another process" in str(refused[0])
        assert tmp_path / "runs" / f"night{number}" in found


@pytest.mark.parametrize("name", [None, "night"])
def test_in_a_bucket_too(bucket, quick, name) -> None:
    for number in range(PAIRS // 4):
        runs, both = location(f"s3://bucket/{number}/runs"), threading.Barrier(2)
        found = at_once(*[starting(runs, name, "golf", both)] * 2)
        begun = [folder for folder in found if isinstance(folder, Url)]
        assert len(set(begun)) == (2 if name is None else 1)
        assert [type(other) for other in found if other not in begun] == ([] if name is None else [BusyError])
        assert all(Store.open(folder).campaign["trials"] == 3 for folder in begun)


def test_two_that_go_on_with_a_campaign_in_a_bucket_at_once_do_not_both(bucket, quick) -> None:
    def hold(folder: Url, both: threading.Barrier) -> Callable[[], str]:
        def driving() -> str:
            try:
                with only_driver(folder):
                    both.wait()
                    return "drives"
            except BusyError:
                both.wait()
                raise

        return driving

    for number in range(PAIRS // 2):
        found = at_once(*[hold(Url(f"s3://bucket/runs/night{number}"), threading.Barrier(2))] * 2)
        assert "drives" in found and sum(isinstance(result, BusyError) for result in found) == 1


def test_a_claim_that_a_killed_process_left_holds_nobody_up_for_long(bucket, monkeypatch) -> None:
    monkeypatch.setattr(object_store_lock, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(object_store_lock, "WATCH_SECONDS", 0.5)
    folder = Url("s3://bucket/runs/night")
    inside.write(folder, f"{object_store_lock.CLAIMS}/killed", b"claim")
    with only_driver(folder):
        assert files.exists(folder / object_store_lock.NAME)
    assert files.names(folder / object_store_lock.CLAIMS) == []


def begun(tmp_path: Path, **other: object) -> Store:
    with folder_for(tmp_path / "runs", "night", "") as folder:
        return create(folder, RECORD | other, {"schedule": "string"})


def test_a_campaign_without_trials_is_begun_again_where_it_asks_the_same(tmp_path) -> None:
    begun(tmp_path)
    (tmp_path / "runs" / "night" / "optuna.journal").write_text("left by a start that failed")
    beginning.check_free(tmp_path / "runs", "night", RECORD)
    assert begun(tmp_path, created_at="later").campaign["created_at"] == "later"
    with pytest.raises(ValueError, match=r"without trials, and asks something else \(trials is 3 there and 4 here\)"):
        beginning.check_free(tmp_path / "runs", "night", RECORD | {"trials": 4})
    with pytest.raises(ValueError, match=r"without trials, and asks something else \(data is null there and .* here\)"):
        begun(tmp_path, data="others")
    assert Store.open(tmp_path / "runs" / "night").campaign["trials"] == 3


def test_a_start_that_was_killed_as_it_made_its_folder_does_not_burn_the_name(tmp_path) -> None:
    begun(tmp_path)
    (tmp_path / "runs" / "night" / CAMPAIGN).unlink()
    beginning.check_free(tmp_path / "runs", "night", RECORD)
    assert begun(tmp_path).is_empty


def test_a_campaign_with_a_trial_is_never_begun_again(bench, play, capsys) -> None:
    play(bench.search(trials=1)).run()
    record = Store.open(bench.folder).campaign
    results, name = bench.folder.parent, bench.folder.name
    with pytest.raises(ValueError, match=f"exists already: choose another --name, or go on with: .* --resume {name} "):
        beginning.check_free(results, name, record)
    with pytest.raises(ValueError, match="exists already"), folder_for(results, name, "") as folder:
        create(folder, {k: v for k, v in record.items() if k not in ("knobs", "schema_version")}, record["knobs"])
    assert len(bench.rows()) == 1


def test_a_folder_with_something_else_in_it_is_refused(tmp_path) -> None:
    (tmp_path / "runs" / "night").mkdir(parents=True)
    (tmp_path / "runs" / "night" / "thesis.tex").write_text("mine")
    with pytest.raises(ValueError, match=r"already holds 'thesis\.tex'"):
        begun(tmp_path)


def test_results_that_no_campaign_can_be_made_in_are_refused_before_anything_is_spent(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    for name in (None, "night"):
        with pytest.raises(ValueError, match="file is no folder"):
            beginning.check_free(tmp_path / "file" / "runs", name, RECORD)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ValueError, match="may not be written"):
        beginning.check_free(tmp_path / "runs", None, RECORD)
    assert sorted(os.listdir(tmp_path)) == ["file"]


START = """
import sys, time
from pathlib import Path
from tuner.campaign.beginning import create, folder_for
print("ready", flush=True)
for line in sys.stdin:
    name = line.strip()
    try:
        with folder_for(Path("runs"), name if name.startswith("named") else None, name) as folder:
            create(folder, {"space": "toy", "trials": 3}, {})
            print(folder.name, flush=True)
            sys.stdin.readline()
    except ValueError as error:
        print("refused:", error, flush=True)
        sys.stdin.readline()
"""


@pytest.mark.slow
def test_two_processes_that_start_in_the_same_moment_are_kept_apart(tmp_path) -> None:
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", START], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        say = lambda line: [(p.stdin.write(f"{line}\n"), p.stdin.flush()) for p in pair]  # noqa: E731
        heard = lambda: sorted(p.stdout.readline().strip() for p in pair)  # noqa: E731
        assert heard() == ["ready", "ready"]
        for number in range(PAIRS):
            for name in (f"usual{number}x", f"named{number}x"):
                say(name)
                found = heard()
                say("end")
                assert found[0] == name
                assert found[1] == f"{name}-2" if name.startswith("usual") else found[1].startswith("refused: ")
    finally:
        for process in pair:
            process.communicate()
