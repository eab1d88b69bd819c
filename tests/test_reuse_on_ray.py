"""Reuse between whole campaigns on Ray whose limits are measured: every verdict is right by the reused numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from results import load
from tests.small_campaign import SET_SMALL, workplace_on_ray

pytestmark = pytest.mark.slow
TRIALS = 8


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Path:
    return workplace_on_ray(tmp_path, monkeypatch)


def search(workplace: Path, name: str, *asked: str) -> tuple[pd.DataFrame, str]:
    """The rows of a search of eight trials with an artifact, and what it printed."""
    command = [sys.executable, "-m", "tuner.run", "--space", "parameter_golf", "--scale", "proxy", "--no-audit"]
    command += [
        "--data",
        "text",
        "--stopper",
        "none",
        "--no-confirm",
        "--trials",
        str(TRIALS),
        "--seed",
        "3",
        *SET_SMALL,
    ]
    command += ["--set", "artifact=Artifact", "--name", name, "--results", "runs", "--concurrent", "2", *asked]
    ended = subprocess.run(command, cwd=workplace, capture_output=True, text=True, timeout=480)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return load(workplace / "runs" / name).trials, ended.stdout


def between(values: pd.Series) -> float:
    """A limit that half of the values keep, and none is at."""
    ordered = sorted(values)
    return (ordered[TRIALS // 2 - 1] + ordered[TRIALS // 2]) / 2


def check(found: pd.DataFrame, before: pd.DataFrame, limits: dict[str, float]) -> None:
    """Hold each status, and each reason, to the numbers that were measured in the campaign before."""
    minutes = before["train_seconds"] / 60
    measured = pd.DataFrame({**before[["artifact_bytes", "val_bpb"]], "train_minutes": minutes}).set_index(
        before["key"]
    )
    assert set(found["key"]) == set(before["key"]) and found["reused_from"].notna().all()
    for row in found.to_dict("records"):
        broken = [name for name, limit in limits.items() if measured.loc[row["key"], name] > limit]
        assert row["status"] == ("infeasible" if broken else "completed"), row["number"]
        said = row["reason"].split("; ") if broken else []
        assert [one.partition(" ")[0] for one in said] == broken


def test_limits_that_are_measured_judge_reused_trials_by_what_was_measured_of_them(workplace) -> None:
    free, _ = search(workplace, "free")
    assert (free["status"] == "completed").all()
    size, minutes = between(free["artifact_bytes"]), between(free["train_seconds"]) / 60
    score = between(free["val_bpb"])

    tight, said = search(workplace, "tight", "--reuse", "free", "--constraint", f"artifact_bytes<={size}")
    check(tight, free, {"artifact_bytes": size})
    assert (tight["status"] == "infeasible").sum() == TRIALS // 2
    base = free[free["is_base"]].iloc[0]
    known = f"{base['artifact_bytes']:,} was measured of the base in free"
    assert (known in said) == (base["artifact_bytes"] > size)

    limits = {"train_minutes": minutes, "val_bpb": score}
    asked = [part for name, limit in limits.items() for part in ("--constraint", f"{name}<={limit!r}")]
    other, said = search(workplace, "other", "--reuse", "tight", *asked)
    check(other, free, limits)
    assert f"{TRIALS} finished trials, {TRIALS // 2} of them beyond the limits there" in said
