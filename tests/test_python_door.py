"""``import tuner`` with real Ray, on a CPU: in a script, and in the kernel of a notebook."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SMALL = {
    "model.num_layers": 2, "model.model_dim": 32, "model.encoder_layers": 1, "data.vocab_size": 280, "data.seq_len": 32,
    "data.batch_tokens": 256, "evaluation.tokens": 1024, "evaluation.seq_len": 32, "budget.steps": 40,
}  # fmt: skip
SEARCH = f"""
import tuner
campaign = tuner.search(
    "parameter_golf", scale="proxy", trials=3, overrides={SMALL}, data="text", confirm=False, audit=False,
    stopper="none", concurrent=2, results="runs", name="door",
)
"""
CHECK = """
import ray
assert not ray.is_initialized()
assert list(campaign.trials["number"]) == [0, 1, 2] and campaign.best().value < 9
assert (campaign.trials["status"] == "completed").all() and campaign.confirmations.empty
"""
AGAIN = """
assert len(tuner.load("runs/door").resume(trials=4, confirm="1x2", display=False).trials) == 4
assert len(campaign.verdicts()) == 1 and len(campaign.confirmations) == 4
campaign
"""


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.chdir(tmp_path)
    draw, words = random.Random(0), ["the", "cat", "sat", "on", "a", "mat", "and", "then", "it", "ran", "far", "away"]
    (tmp_path / "text").mkdir()
    for number in range(40):
        (tmp_path / "text" / f"{number:02}.txt").write_text(" ".join(draw.choice(words) for _ in range(400)) + ".\n")
    return tmp_path


@pytest.mark.slow
def test_a_script_searches_goes_on_and_ends_by_itself(workplace) -> None:
    (workplace / "script.py").write_text(f"{SEARCH}\n{CHECK}\n{AGAIN}\nprint(repr(campaign))\n")
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, timeout=560)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "campaign: runs/door" in lines and any("trial 0 (base) completed" in line for line in lines)
    assert lines[-1].startswith("<Campaign 'runs/door': parameter_golf, 4 of 4 trials, best val_bpb ")


@pytest.mark.slow
def test_a_notebook_searches_and_goes_on_in_its_kernel(workplace) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    cells = [nbformat.v4.new_code_cell(source) for source in (SEARCH, CHECK, AGAIN)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=560, kernel_name="python3").execute()
    first, _, last = notebook.cells
    assert {output["output_type"] for output in first["outputs"]} == {"stream"}, "plain lines, no display of its own"
    assert {output["name"] for output in first["outputs"]} == {"stdout"}
    printed = "".join(output["text"] for output in first["outputs"])
    assert "campaign: runs/door" in printed and "trial 0 (base) completed" in printed and "\x1b" not in printed
    (shown,) = last["outputs"]
    assert shown["data"]["text/plain"].startswith("<Campaign 'runs/door': parameter_golf, 4 of 4 trials")
