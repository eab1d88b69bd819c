"""A search and what it carries over to a larger scale, on real Ray: one command, two campaigns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPACE = """
from search_spaces.domains import LogUniform
from search_spaces.space import Knob, Scale, Space
from search_spaces.width import WidthRules
from trainable.component_paths import with_value
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.models.gpt import GPT

SMALL = TrainConfig(
    model=GPT(num_layers=2, model_dim=16, num_heads=2, num_kv_heads=2, encoder_layers=1),
    data=DataConfig(source="stdlib", vocab_size=280, seq_len=32, batch_tokens=256),
    budget=Budget(steps=20),
    evaluation=EvaluationConfig(tokens=1024, seq_len=32),
)
SPACE = Space(
    name="two_sizes", question="Which rate?", objective="val_bpb",
    scales={
        "proxy": Scale(SMALL, trials=3, about="narrow"),
        "full": Scale(with_value(SMALL, "model.model_dim", 32), trials=3, about="twice as wide"),
    },
    knobs=(
        Knob("optimizer.matrix_lr", LogUniform(0.01, 0.1), "around the default"),
        Knob("optimizer.tied_embed_lr", LogUniform(0.01, 0.5), "around the default"),
    ),
    width_rules=WidthRules(exponents={"optimizer.tied_embed_lr": -1}),
)
"""


@pytest.mark.slow
def test_one_command_searches_and_carries_over_and_a_resume_finds_nothing_left(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two_sizes.py").write_text(SPACE)
    (tmp_path / "text").mkdir()
    for number in range(40):
        (tmp_path / "text" / f"{number}.txt").write_text(" ".join(str(i * i * number % 977) for i in range(400)))
    run = [sys.executable, "-m", "tuner.run", "--results", "runs"]
    asked = ["--space", "two_sizes.py", "--scale", "proxy", "--data", "text", "--name", "night", "--trials", "3"]
    judged = ["--no-confirm", "--stopper", "none", "--no-audit", "--concurrent", "2", "--confirm-scale", "full"]
    done = subprocess.run([*run, *asked, *judged], capture_output=True, text=True, timeout=560)
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "carrying over to scale full: the best 2 trials of campaign night, as campaign night-at-full" in said
    assert "optimizer.tied_embed_lr x 0.5 (its rule of width)" in said
    assert "Order between scale proxy (campaign night) and scale full: 3 configs with both values" in said
    again = subprocess.run(
        [*run, "--resume", "night", "--space", "two_sizes.py"], capture_output=True, text=True, timeout=560
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.count("nothing left to do") == 2
    assert not (tmp_path / "runs" / "night-at-full-2").exists()
