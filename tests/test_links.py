"""A campaign's folder that somebody made up, through the real commands: nothing outside it is touched.

Links, pipes, sockets and devices stand where a campaign has files and folders. A resume refuses them in one line before
anything is changed; readers end by themselves, whatever they then say.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from results import compact, compare, report
from results.page import PAGE
from results.store.campaign_folder import Store
from tuner import run, status

KEY = "0123456789abcdef"
RECORD = {
    "space": "parameter_golf", "scale": "proxy", "objective": "val_bpb", "objectives": ["val_bpb"], "constraints": [],
    "overrides": {}, "base": {}, "trials": 2, "seed": None, "data": "x", "stopper": "asha", "fidelity": "truncate",
}  # fmt: skip
TRIAL = {
    "key": KEY, "status": "completed", "number": 0, "value": 1.0, "last_value": 1.0, "overrides": "{}",
    "config": "null", "objective": "val_bpb", "is_base": True, "attempt": 1, "budget": 9.0, "budget_unit": "steps",
    "seed": 1, "data": "x",
}  # fmt: skip
PLANNED = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--results", "runs", "--name", "new"]
PLANNED += ["--dry-run", "--tokens-per-second", "5000"]  # else each plan would time the model
READERS: dict[str, Callable[[Path], int]] = {
    "report": lambda folder: report.main([str(folder)]),
    "compare": lambda folder: compare.main([str(folder)]),
    "compact": lambda folder: compact.main([str(folder), "target"]),
    "status": lambda folder: status.main([str(folder)]),
    "reuse": lambda folder: run.main([*PLANNED, "--reuse", str(folder)]),
    "warm start": lambda folder: run.main([*PLANNED, "--warm-start", str(folder)]),
}
Make = Callable[[Path, Path], Any]  # what stands in a place; its second argument is somebody's precious folder


def link(to: str) -> Make:
    return lambda path, precious: path.symlink_to(precious / to)


def pipe(path: Path, precious: Path) -> None:
    os.mkfifo(path)


LAYOUTS: dict[str, tuple[str, Make]] = {
    "checkpoints to a folder": ("checkpoints", link("")),
    "checkpoints to one of folders": ("checkpoints", link("folders")),
    "a trial's checkpoints": (f"checkpoints/{KEY}", link("folders")),
    "a trial's sign": (f"checkpoints/{KEY}/attempt.json", link("file")),
    "a checkpoint": (f"checkpoints/{KEY}/a1-1.safetensors", link("file")),
    "a checkpoint that is a pipe": (f"checkpoints/{KEY}/a1-1.safetensors", pipe),
    "trials": ("trials", link("parquet")),
    "reports": ("reports", link("parquet")),
    "curves": ("curves", link("parquet")),
    "a trial's rows": ("trials/0a.parquet", link("parquet/rows.parquet")),
    "a trial's rows that are a pipe": ("trials/0a.parquet", pipe),
    "rows that never end": ("trials/0a.parquet", lambda path, precious: path.symlink_to("/dev/zero")),
    "a trial's reports that are a pipe": (f"reports/{KEY}.parquet", pipe),
    "a trial's curve": (f"curves/{KEY}.parquet", link("parquet/rows.parquet")),
    "a trial's curve that is a pipe": (f"curves/{KEY}.parquet", pipe),
    "a hidden file": ("trials/.x.0123abcd", link("file")),
    "errors": ("errors", link("")),
    "a trial's error": (f"errors/{KEY}.txt", link("file")),
    "stalls": ("stalls", link("folders")),
    "a stall": (f"stalls/{KEY}.a1.txt", link("file")),
    "a stall that is a pipe": (f"stalls/{KEY}.a1.txt", pipe),
    "the lock": (".lock", link("file")),
    "the lock that is a pipe": (".lock", pipe),
    "the sign to stop": (".stop", link("file")),
    "the lease": (".driver.json", link("file")),
    "Ray's folder of an earlier version": (".ray", link("")),
    "the journal": ("optuna.journal", link("file")),
    "the journal that is a pipe": ("optuna.journal", pipe),
    "the journal before": ("optuna.journal.before", link("file")),
    "campaign.json": ("campaign.json", link("campaign.json")),
    "a link to itself": ("trials/loop", lambda path, precious: path.symlink_to(path.name)),
    "a link inside": (f"checkpoints/{KEY}", lambda path, precious: path.symlink_to("../trials")),
    "a link to nowhere": ("checkpoints", link("nowhere")),
    "a device": ("errors", lambda path, precious: path.symlink_to("/dev/null")),
}


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Iterator[Path]:
    """A working folder of its own, no way to start Ray, and an end to what waits for a pipe."""

    def no_ray(**options: Any) -> None:
        raise AssertionError("Ray must not start")

    def waits(number: int, frame: Any) -> None:
        raise AssertionError("it waits")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray, "init", no_ray)
    before = signal.signal(signal.SIGALRM, waits)
    signal.alarm(120)
    yield tmp_path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def precious(tmp_path) -> Path:
    """Somebody's folder, with things of all the names that a campaign uses."""
    folder = tmp_path / "precious"
    for name in (
        "file", "folders/a/b", f"folders/{KEY}/attempt.json", "folders/a9-9.safetensors", f"folders/{KEY}.a1.txt",
        f"{KEY}/a1-1.safetensors", "parquet/rows.parquet",
    ):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("precious")
    return folder


@pytest.fixture
def campaign(tmp_path, precious) -> Path:
    folder = tmp_path / "runs" / "there"
    Store.create(folder, RECORD, {}).write_trial(TRIAL)
    shutil.copy(folder / "campaign.json", precious / "campaign.json")
    return folder


def built(layout: str, campaign: Path, precious: Path) -> Path:
    """The campaign with that in its place."""
    name, make = LAYOUTS[layout]
    place = campaign / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    make(place, precious)
    return place


def seen(folder: Path) -> dict[str, Any]:
    """All there is below a folder, without following a link."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_ino, content)
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_resume_refuses_it_in_one_line_and_changes_nothing(layout, campaign, precious, capsys) -> None:
    place = built(layout, campaign, precious)
    before = seen(campaign.parent), seen(precious)
    assert run.main(["--resume", str(campaign)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and place.name in said and "campaign" in said, said
    assert (seen(campaign.parent), seen(precious)) == before


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_reader_waits_for_it_or_touches_what_is_behind_it(layout, campaign, precious, capsys) -> None:
    built(layout, campaign, precious)
    before = seen(campaign), seen(precious)
    for name, command in READERS.items():
        try:
            code = command(campaign)
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr().err
        assert code == 0 or (code == 2 and said.count("\n") == 1), f"{name}: {code} {said}"
        shutil.rmtree("target", ignore_errors=True)
        (campaign / PAGE).unlink(missing_ok=True)  # the report's own
    assert (seen(campaign), seen(precious)) == before


def test_a_campaign_or_the_folder_of_all_may_itself_be_reached_by_a_link(campaign, tmp_path, capsys) -> None:
    """It gets as far as without the link: to the base, which is made up here."""
    (tmp_path / "linked").symlink_to(tmp_path / "runs")
    (tmp_path / "elsewhere").symlink_to(campaign)
    for name in (campaign, tmp_path / "linked" / "there", tmp_path / "elsewhere"):
        assert run.main(["--resume", str(name)]) == 2
        said = capsys.readouterr().err
        assert ("link" not in said.replace(str(name), "") and "version of space" in said) or "base" in said, said
        assert status.main([str(name)]) == 0
        capsys.readouterr()
