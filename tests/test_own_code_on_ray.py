"""The example of own files on real Ray with two workers, which find no file: as a stranger runs it, and goes on."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import results
from tests.own_files import EXAMPLES
from trainable.own import source as own_source

SMALLER = ["model.num_layers=2", "model.encoder_layers=1", "model.model_dim=32", "budget.steps=24"]
SMALLER += ["data.vocab_size=300", "data.seq_len=32", "data.batch_tokens=256"]
SMALLER += ["evaluation.tokens=1024", "evaluation.seq_len=32"]


@pytest.mark.slow
def test_own_files_are_trained_on_two_workers_and_gone_on_with_where_the_files_are_gone(tmp_path) -> None:
    own, work, elsewhere = (tmp_path / name for name in ("own", "work", "elsewhere"))
    for folder in (own, work, elsewhere, work / "text"):
        folder.mkdir()
    draw = random.Random(0)
    words = "the cat sat on a mat and then it ran far away from every dog in town".split()  # noqa: SIM905
    for number in range(40):
        (work / "text" / f"{number}.txt").write_text(" ".join(draw.choice(words) for _ in range(400)) + ".\n")
    for name in ("sawtooth.py", "small_space.py"):
        shutil.copy(EXAMPLES / name, own)

    def tune(folder: Path, *arguments: str) -> None:
        variables = os.environ | {"TUNER_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
        variables["PYTHONPATH"] = str(Path(results.__file__).parents[1])
        command = [sys.executable, "-m", "tuner.run", *arguments, "--concurrent", "2"]
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stdout + done.stderr

    settings = [part for setting in SMALLER for part in ("--set", setting)]
    asked = ["--space", "../own/small_space.py", "--import", "../own/sawtooth.py", "--scale", "proxy", "--trials", "8"]
    how = ["--data", "text", "--no-confirm", "--stopper", "none", "--results", "runs", "--name", "own"]
    tune(work, *asked, *how, *settings)
    source = own_source.read(str(own / "sawtooth.py"))
    shutil.rmtree(own)
    shutil.copytree(work / "runs" / "own", elsewhere / "own")
    shutil.copytree(work / "text", elsewhere / "text")
    shutil.rmtree(work)
    tune(elsewhere, "--resume", "./own", "--trials", "10", "--trust-sources", "--data", "text")
    trials = results.load(elsewhere / "own").trials
    assert list(trials["status"]) == ["completed"] * 10
    sawtooth = trials[trials["config"].str.contains("Sawtooth")]
    assert len(sawtooth) and sawtooth["worker"].notna().all() and trials["worker"].nunique() >= 2
    assert (elsewhere / "own" / own_source.FOLDER / "sawtooth.py").read_text() == source.files["sawtooth.py"]
