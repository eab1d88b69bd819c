"""A small search that really trains, in this process and without Ray: its weights are those of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.small_campaign import SET_SMALL, play_in_place_of_ray, work_in
from trainable.worker.request import Request
from trainable.worker.trial_worker import TrialWorker
from tuner import run

GOLF = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--data", "text", "--precision", "fp32"]


def training(play: type[Any]) -> Callable[..., Any]:
    """The executor that plays Ray, whose trials train as a worker does."""

    class Training(play):  # type: ignore[misc,valid-type]
        def _train(self, request: Request) -> Iterator[dict[str, Any]]:
            actor = TrialWorker.__new__(TrialWorker)
            actor.setup({"key": request.key, "request": request.to_json()})
            done = False
            while not done:
                result = actor.step()
                done = result["done"]
                yield result

    return Training


def trained_campaign(folder: Path, monkeypatch: pytest.MonkeyPatch, play: type[Any], *asked: str) -> Path:
    """The folder of a campaign called ``small``, searched in ``folder``, which is then the current one."""
    work_in(folder, monkeypatch)
    play_in_place_of_ray(monkeypatch, training(play))
    assert run.main([*GOLF, *SET_SMALL, "--name", "small", "--concurrent", "1", *asked]) == 0
    return folder / "results" / "runs" / "small"
