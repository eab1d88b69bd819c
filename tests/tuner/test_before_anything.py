"""A command that is refused has changed no file and has not started Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ray

from tests.hostile_content import campaign, dataset
from tests.test_links import seen
from tuner import run, start
from tuner.campaign.driver import only_driver

GOLF = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit"]


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A campaign with a file that a resume sets aside; Ray is not to start."""

    def no_ray(*arguments: Any, **options: Any) -> None:
        raise AssertionError("Ray must not start")

    monkeypatch.setattr(ray, "init", no_ray)
    for name in ("on_ray", "run_on_ray"):
        monkeypatch.setattr(start, name, no_ray)
    monkeypatch.setattr(start, "read_data", lambda console, base: dataset())
    folder = campaign(tmp_path / "runs" / "there")
    next(path for path in (folder / "reports").iterdir() if path.stem != "0-empty").write_bytes(b"damaged")
    return folder


def test_a_second_process_that_resumes_a_running_campaign_renames_nothing(damaged, capsys) -> None:
    with only_driver(damaged):
        before = seen(damaged)
        assert run.main(["--resume", str(damaged)]) == 2
        assert "is being run by another process" in capsys.readouterr().err
        assert seen(damaged) == before


def test_a_dry_run_of_a_resume_renames_nothing(damaged, capsys) -> None:
    before = seen(damaged)
    assert run.main(["--resume", str(damaged), "--dry-run"]) in (0, 2)  # it may name the file that cannot be read
    assert "set aside" not in capsys.readouterr().out and seen(damaged) == before


def test_a_record_that_could_not_be_read_again_is_refused_before_ray_starts(damaged, monkeypatch, capsys) -> None:
    real = start.campaign_record
    monkeypatch.setattr(start, "campaign_record", lambda *asked: real(*asked) | {"data_description": "x" * 200_000})
    assert run.main([*GOLF, "--results", str(damaged.parent), "--name", "new"]) == 2
    said = capsys.readouterr().err
    assert "200,000 characters" in said and said.count("\n") == 1 and not (damaged.parent / "new").exists()
