"""Samplers of other tools, each in a process of an interpreter that has it: ``peers_worker.py`` is the other side.

They are told a run that failed as the worst end so far. A knob that acts only under others has its condition where a
tool knows conditions (SMAC3), else it is there always and is left out of the config where it does nothing.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.surrogate.device import Device, Outcome
from benchmarks.surrogate.encoding import is_ordered
from search_spaces.domains import Choice, Value
from search_spaces.space import Knob, Space

METHODS = ("SMAC3", "Syne Tune BORE", "NePS PiBO")
WORKER = Path(__file__).with_name("peers_worker.py")


class Peer:
    """A method of the campaigns that asks another process."""

    def __init__(self, device: Device, seed: int, method: str, python: str) -> None:
        self.space, self.worst = device.searched, -math.inf
        self.process = subprocess.Popen(
            [python, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        base = {path: _plain(self.space, path, value) for path, value in device.base_point.items()}
        self.answer({"method": method, "seed": seed, "knobs": described(self.space), "base": base})

    def answer(self, question: Mapping[str, Any]) -> Any:
        """The worker's answer; a RuntimeError where it has ended."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"{self.process.args}: ended with exit code {self.process.wait()}; run it by hand to see why"
            )
        return json.loads(line)

    def ask(self) -> tuple[int, Mapping[str, Value]]:
        answer = self.answer({"ask": True})
        return answer["number"], point(self.space, answer["values"])

    def stops(self, number: int, rung: float, value: float) -> bool:
        return False

    def tell(self, number: int, outcome: Outcome) -> None:
        if outcome.final is not None:
            self.worst = max(self.worst, outcome.final)
        value = outcome.final if outcome.final is not None else self.worst
        self.answer({"tell": number, "value": value if math.isfinite(value) else None})

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def described(space: Space) -> list[dict[str, Any]]:
    """The knobs in words that need no import: labels are their places, in order where they have one."""
    found = []
    for knob in space.knobs:
        when = {path: [_plain(space, path, label) for label in labels] for path, labels in (knob.when or {}).items()}
        if isinstance(knob.domain, Choice):
            kind: dict[str, Any] = {"kind": "choice", "count": len(knob.domain.labels), "ordered": is_ordered(knob)}
        else:
            whole = isinstance(knob.domain.low, int)
            kind = {"kind": "integer" if whole else "number", "low": knob.domain.low, "high": knob.domain.high}
            kind["log"] = knob.domain.is_log
        found.append({"path": knob.path, "when": when, **kind})
    return found


def point(space: Space, values: Mapping[str, Any]) -> dict[str, Value]:
    """The values of a peer's answer that do something."""
    found: dict[str, Value] = {}
    for knob in space.knobs:
        if space.active(knob, found):
            value = values[knob.path]
            found[knob.path] = _labels(knob)[value] if isinstance(knob.domain, Choice) else value
    return found


def _plain(space: Space, path: str, value: Value) -> Value:
    knob = space.knob(path)
    return _labels(knob).index(value) if isinstance(knob.domain, Choice) else value


def _labels(knob: Knob) -> list[Any]:
    assert isinstance(knob.domain, Choice)
    labels: list[Any] = list(knob.domain.labels)
    return sorted(labels) if is_ordered(knob) else labels
