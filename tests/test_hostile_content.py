"""Whatever the files of a campaign hold, each command that reads them ends with 0 or 2, and one line in the latter."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray

from results import compact, compare, fidelity, report
from tests.hostile_content import Case, all_cases, campaign, dataset, of_files
from tuner import run, start, status

CASES = all_cases()
EVERY = 211  # of the cases, those that are tried in each run of the suite; a prime, so that all kinds have their turn


class RayStartsError(BaseException):
    """A command has accepted all that it read, and would begin."""


READERS: dict[str, Callable[[Path], int]] = {
    "report": lambda folder: report.main([str(folder)]),
    "compare": lambda folder: compare.main([str(folder)]),
    "compare several": lambda folder: compare.main([str(folder), str(compare.KEPT / "ngpt"), "--html", "several.html"]),
    "compact": lambda folder: compact.main([str(folder), "compacted"]),
    "fidelity": lambda folder: fidelity.main([str(folder)]),
    "status": lambda folder: status.main([str(folder)]),
    "reuse": lambda folder: run.main([*GOLF, "--reuse", str(folder)]),
    "warm start": lambda folder: run.main([*GOLF, "--warm-start", str(folder)]),
    "resume": lambda folder: run.main(["--resume", str(folder)]),
}
GOLF = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--results", "runs", "--name", "new"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return campaign(tmp_path_factory.mktemp("whole") / "there")


@pytest.fixture
def read_by_all(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Callable[[Case], dict[str, int]]:
    """Damage a copy, have every command read it; their exit codes. An exception is the test's failure."""

    def no_ray(*arguments: Any, **options: Any) -> None:
        raise RayStartsError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray, "init", no_ray)
    for name in ("on_ray", "run_on_ray"):
        monkeypatch.setattr(start, name, no_ray)
    monkeypatch.setattr(start, "read_data", lambda console, base: dataset())

    def read(case: Case) -> dict[str, int]:
        codes = {}
        case.damage(Path(shutil.copytree(whole, tmp_path / "damaged")))
        for name, command in READERS.items():
            for left in ("there", "runs", "compacted"):
                shutil.rmtree(tmp_path / left, ignore_errors=True)
            shutil.copytree(tmp_path / "damaged", tmp_path / "there")
            try:
                codes[name] = command(tmp_path / "there")
            except RayStartsError:
                codes[name] = 0
            except SystemExit as end:
                codes[name] = int(end.code or 0)
            errors = capsys.readouterr().err
            assert codes[name] in (0, 2), f"{case.name}, {name}: {codes[name]}: {errors}"
            assert errors.count("\n") == (codes[name] == 2), f"{case.name}, {name}: {errors}"
            assert len(errors) < 2_000, f"{case.name}, {name}: a line of {len(errors)} characters"
        shutil.rmtree(tmp_path / "damaged")
        return codes

    return read


def test_the_campaign_as_it_was_written_is_read_by_all(read_by_all) -> None:
    codes = read_by_all(Case("nothing", lambda folder: None))
    assert codes.pop("compare") == 2 and codes.pop("compact") == 2, "it is no replay, and it is not over"
    assert set(codes.values()) == {0}, codes


@pytest.mark.parametrize("case", CASES[::EVERY], ids=lambda case: case.name)
def test_hostile_content_is_one_line(case, read_by_all) -> None:
    assert set(read_by_all(case).values()) <= {0, 2}


@pytest.mark.parametrize("case", list(of_files()), ids=lambda case: case.name)
def test_rows_too_many_are_refused_by_every_command(case, read_by_all) -> None:
    codes = read_by_all(case)
    assert codes.pop("resume") in (0, 2)  # it sets the file aside, and goes on
    if case.name.startswith("curves"):
        assert codes.pop("warm start") == 0, "it reads trials, and what they had at rungs"
        assert (codes.pop("status"), codes.pop("fidelity")) in ((0, 0), (0, 2)), "they read no curves"
        assert codes.pop("compare several") == 0, "no more than these"
    assert set(codes.values()) == {2}, codes


@pytest.mark.slow
@pytest.mark.parametrize("part", range(16))
def test_all_hostile_content_is_one_line(part, read_by_all) -> None:
    for case in CASES[part::16]:
        assert set(read_by_all(case).values()) <= {0, 2}, case.name
