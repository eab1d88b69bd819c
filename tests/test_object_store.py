"""A whole campaign in a bucket by the real command, with Ray: its driver is killed, looked at, and resumed twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from results import load
from results.store.statuses import ENDED
from storage import files
from storage.location import location
from tests.small_campaign import workplace_on_ray
from trainable.worker.trial_worker import STORE_POLL_SECONDS

pytestmark = pytest.mark.slow
TRIALS = 14  # so many that a fast machine has not ended them before the driver is killed
SMALL = {
    "model.num_layers": 2, "model.model_dim": 32, "model.encoder_layers": 1, "data.vocab_size": 300, "data.seq_len": 32,
    "data.batch_tokens": 256, "evaluation.tokens": 1024, "evaluation.seq_len": 32, "budget.steps": 300,
}  # fmt: skip
RUNS = location("s3://bucket/whole/runs")
FOLDER = RUNS / "night"


@pytest.fixture
def workplace(tmp_path, bucket, monkeypatch) -> Path:
    return workplace_on_ray(tmp_path, monkeypatch, columns=200)


def start(workplace: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tuner.run", *arguments, "--results", str(RUNS), "--concurrent", "2"]
    with (workplace / "log").open("w") as log:
        return subprocess.Popen(command, cwd=workplace, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def trials() -> pd.DataFrame:
    return load(FOLDER).trials if files.is_file(FOLDER / "campaign.json") else pd.DataFrame({"status": []})


def status(workplace: Path) -> str:
    command = [sys.executable, "-m", "tuner.status", str(FOLDER)]
    done = subprocess.run(command, cwd=workplace, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_campaign_in_a_bucket_survives_a_kill_of_its_driver(workplace) -> None:
    settings = [part for path, value in SMALL.items() for part in ("--set", f"{path}={value}")]
    space = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--no-confirm", "--data", "text"]
    process = start(workplace, *space, "--name", "night", "--trials", str(TRIALS), *settings)
    try:
        deadline = time.monotonic() + 480
        while trials()["status"].isin(ENDED).sum() < 2:
            assert process.poll() is None and time.monotonic() < deadline, (workplace / "log").read_text()
            time.sleep(0.3)
        assert "driver: runs" in status(workplace)
    finally:
        process.kill()
        process.wait()
    before = trials().set_index("key")
    done = before[before["status"].isin(ENDED)]
    assert 2 <= len(done) < TRIALS

    process = start(workplace, "--resume", FOLDER.name)
    try:
        while "begins" not in (workplace / "log").read_text():
            assert process.poll() is None and time.monotonic() < deadline, (workplace / "log").read_text()
            time.sleep(0.1)
        time.sleep(2.0)  # all slots have trials of some seconds
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        assert process.wait(timeout=480) == 130
        assert time.monotonic() - asked < STORE_POLL_SECONDS, "the message comes before a trial's next look"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    interrupted = trials()
    assert "interrupted" in set(interrupted["status"])

    process = start(workplace, "--resume", FOLDER.name)
    try:
        code = process.wait(timeout=480)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    text = (workplace / "log").read_text()
    assert code == 0, text
    assert f"trials = pandas.read_parquet('{FOLDER}/trials')" in text and "made-up-secret" not in text
    assert f"Page: {FOLDER}/report.html" in text and b"<!doctype html>" in files.read(FOLDER / "report.html")

    table = pd.read_parquet(f"{FOLDER}/trials")  # as the note says, by pandas alone
    ran = table[table["status"] != "infeasible"].set_index("key")
    assert len(ran) == TRIALS and ran["status"].isin(ENDED).all() and ran.index.is_unique
    kept = ["attempt", "ended_at", "value"]
    assert ran.loc[done.index, kept].equals(done[kept])
    curves = pd.read_parquet(f"{FOLDER}/curves")
    reached = curves.groupby("key")["step"].max().reindex(ran.index)
    assert (reached == ran["steps"]).all(), "each to where its trial came"
    assert "driver: none" in status(workplace)
    assert not files.names(FOLDER / "checkpoints") and not files.exists(FOLDER / ".stop")
    assert not files.exists(FOLDER / ".driver.json"), "the lease is given back"
    assert b"made-up-secret" not in files.read(FOLDER / "campaign.json")
    assert not list(workplace.glob("s3*")) and not (workplace / "results").exists()
