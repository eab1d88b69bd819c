"""A small campaign for tests: its settings, a folder to work in, and the executor that plays Ray in Ray's place."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray

from tuner import start
from tuner.search_loop import Search

SMALL = {
    "model.num_layers": 2, "model.model_dim": 32, "model.encoder_layers": 1, "budget.steps": 12, "data.seq_len": 32,
    "data.batch_tokens": 256, "data.vocab_size": 300, "evaluation.tokens": 512, "evaluation.seq_len": 32,
}  # fmt: skip
SET_SMALL = [part for path, value in SMALL.items() for part in ("--set", f"{path}={value}")]


def workplace_on_ray(folder: Path, monkeypatch: pytest.MonkeyPatch, columns: int = 300) -> Path:
    """Put a little text into ``folder``, and let commands that start there use a cache of their own and one thread."""
    (folder / "text").mkdir()
    draw = random.Random(0)
    words = "the cat sat on a mat and then it ran far away from every dog in town".split()  # noqa: SIM905
    for number in range(40):
        (folder / "text" / f"{number:02}.txt").write_text(" ".join(draw.choice(words) for _ in range(400)) + ".\n")
    for name, value in {"TUNER_CACHE": folder / "cache", "OMP_NUM_THREADS": 1, "COLUMNS": columns}.items():
        monkeypatch.setenv(name, str(value))
    return folder


def work_in(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str = "text") -> None:
    """Make ``folder`` the current one, with a little text in it, a cache of its own, and no way to start Ray."""

    def no_ray(**options: Any) -> None:
        raise AssertionError("Ray must not start")

    monkeypatch.chdir(folder)
    monkeypatch.setenv("TUNER_CACHE", str(folder / "cache"))
    monkeypatch.setattr(ray, "init", no_ray)
    (folder / text).mkdir()
    for number in range(30):
        words = " ".join(str((number * 7919 + i * i * 31) % 9973) for i in range(200))
        (folder / text / f"{number}.txt").write_text(words)


def play_in_place_of_ray(
    monkeypatch: pytest.MonkeyPatch,
    play: Callable[..., Any],
    meanwhile: Callable[[Search], None] = lambda campaign: None,
    **settings: Any,
) -> None:
    """Let campaigns run by ``play`` with its ``settings``; ``meanwhile`` is called as each begins."""

    def run_on_ray(console: Any, campaign: Search, here: Any, tick: Any) -> None:
        with start.interruptible(campaign):
            meanwhile(campaign)
            play(campaign, **settings).run()
        campaign.abandon()

    monkeypatch.setattr(start, "on_ray", lambda console, here, address: here)
    monkeypatch.setattr(start, "run_on_ray", run_on_ray)
