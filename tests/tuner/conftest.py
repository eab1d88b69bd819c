"""A toy space, and an executor that plays Ray Tune's part with made-up curves, several slots and a random order."""

from __future__ import annotations

import json
import math
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from results import Store
from results.page import PAGE
from results.questions import posterior
from results.report import print_page
from results.store.frames import Results
from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.space import Knob, Scale, Space
from storage import files, inside
from storage.location import Location, location
from terminal.console import Console
from trainable.component_json import decode
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.models.gpt import GPT
from trainable.schedules import Constant, Cosine, Tidal
from trainable.worker import kept_weights
from trainable.worker.attempt import STOP_FILE
from trainable.worker.request import Request
from tuner.campaign import provenance
from tuner.cli import summary
from tuner.cluster import own_ray
from tuner.loop.inputs import OneStart, Problem, TrialOrigins
from tuner.plan import partners, throughput
from tuner.search_loop import Search
from tuner.spec import CampaignSpec

DATA = "made-up-data"
RESULT = {
    "train_loss": 3.0,
    "val_nats_per_character": 1.25,
    "val_mainrun_loss": 1.26,
    "time_to_target": 3.0,
    "target_reached": False,
    "eval_seconds": 0.5,
    "compile_seconds": 0.0,
    "logged": {"norm": 1.5},
    "parameters": 1000,
    "device": "cpu (made up)",
    "precision": "fp32",
    "muon_precision": "fp32",
    "activations_checkpointed": False,
    "peak_memory_bytes": 4096,
    "peak_reserved_bytes": 8192,
    "worker": "host:1",
}


@pytest.fixture(scope="module", autouse=True)
def speed_of_a_moment() -> Iterator[None]:
    """A plan's speed is measured in a few passes and alone: for plans in tests it need not be right.

    That others train beside it, each a process that loads torch, is held by tests/tuner/plan/test_partners.py.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(throughput, "TIMED_SECONDS", 0.0)
        patch.setattr(partners, "MOST", 0)
        yield


@pytest.fixture(scope="module", autouse=True)
def few_draws() -> Iterator[None]:
    """The page at a campaign's end says of its knobs what a few draws tell: what many do is held in tests/results."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "DRAWS", 5)
        patch.setattr(posterior, "BURN_IN", 0)
        yield


@pytest.fixture(scope="module", autouse=True)
def ends_without_a_page() -> Iterator[None]:
    """The page at a campaign's end takes longer than all else: it is only named, unless a test takes ``pages``."""

    def named(console: Console, results: Results, folder: Location) -> None:
        console.print(f"Page: {folder / PAGE}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "print_page", named)
        yield


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Campaigns end with their page."""
    monkeypatch.setattr(summary, "print_page", print_page)


@pytest.fixture(scope="session", autouse=True)
def code_is_looked_at_once() -> Iterator[None]:
    """Each start of a campaign asks git three times which code this is: the answer is that of a session's begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "code_version", cache(provenance.code_version))
        yield


@pytest.fixture(autouse=True)
def no_ray_is_left() -> Iterator[None]:
    """Of a test that only pretends to start Ray: its folder, its reaper and what it did to the environment."""
    yield
    own_ray.stop()


@pytest.fixture(scope="session")
def toy_base() -> TrainConfig:
    return TrainConfig(
        model=GPT(num_layers=3, model_dim=32, num_heads=4, num_kv_heads=2, encoder_layers=1),
        data=DataConfig(vocab_size=260, seq_len=16, batch_tokens=64),
        budget=Budget(steps=240),
        evaluation=EvaluationConfig(tokens=64, seq_len=16, batch_tokens=64),
    )


@pytest.fixture(scope="session")
def toy_space(toy_base: TrainConfig) -> Space:
    """A choice, a conditional knob, a logarithm, and an integer whose upper half makes no valid model."""
    return Space(
        name="toy",
        question="Which toy is best?",
        objective="val_bpb",
        scales={"proxy": Scale(toy_base, trials=9, about="made up")},
        knobs=(
            Knob("schedule", Choice(Cosine(), Tidal(), Constant()), "a choice of components"),
            Knob("schedule.warmup_frac", Uniform(0.05, 0.6), "only one of them has it", {"schedule": ("Tidal",)}),
            Knob("optimizer.matrix_lr", LogUniform(0.01, 0.3), "a rate"),
            Knob("model.encoder_layers", Integer(0, 7), "more than 3 make no valid model"),
        ),
    )


def curve(config: TrainConfig, milestone: float) -> float:
    """Falls with training, best at a rate of 0.1; no two configs are equal."""
    noise = zlib.crc32(repr(config).encode()) / 2**32 / 100
    return 1.5 + abs(math.log10(config.optimizer.matrix_lr / 0.1)) + 10 / (10 + milestone) + noise  # type: ignore[attr-defined]


@dataclass
class Tune:
    """Plays Ray Tune: starts what the search asks for, in any order, and hands over reports, ends and errors."""

    search: Search
    curve: Callable[[TrainConfig, float], Any] = curve  # an exception that it raises kills the trial
    seed: int = 0
    on_report: Callable[[str], None] = lambda key: None
    checkpoint_chance: float = 0.0  # that a trial saves itself after a milestone
    pending: list[Request] = field(default_factory=list)
    running: dict[str, Iterator[dict[str, Any]]] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)  # keys, in order
    resumed: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    most_live: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def run(self, steps: int | None = None) -> Tune:
        """Go on until nothing is left, or for so many events."""
        while (steps is None or steps > 0) and self.step():
            steps = None if steps is None else steps - 1
        return self

    def step(self) -> bool:
        """One event; False when the campaign is over."""
        while not self.search.exhausted and (request := self.search.next()) is not None:
            self.pending.append(request)
        self.most_live = max(self.most_live, len(self.pending) + len(self.running))
        choices = [*range(len(self.pending)), *self.running]
        if not choices:
            return False
        chosen = self.random.choice(choices)
        if isinstance(chosen, int):
            self._start(self.pending.pop(chosen))
        else:
            self._advance(chosen)
        return True

    def _start(self, request: Request) -> None:
        self.search.start(request.key)
        self.running[request.key] = self._train(request)
        self.started.append(request.key)
        if request.resume:
            self.resumed.append(request.key)

    def _advance(self, key: str) -> None:
        search = self.search
        try:
            result = next(self.running[key])
        except Exception as error:
            self.died(key, error)
            return
        done = result["status"] != "running"
        if not done:
            done = search.stopper.ends(key, result)
        search.report(key, result)
        self.on_report(key)
        if done:
            search.end(key, result)
            self._gone(key)

    def died(self, key: str, error: Exception) -> None:
        self.search.die(key, f"ray::RayTrainable.train() (made up)\n{type(error).__name__}: {error}\n")
        self._gone(key)

    def _gone(self, key: str) -> None:
        del self.running[key]
        self.ended.append(key)

    def _train(self, request: Request) -> Iterator[dict[str, Any]]:
        config = decode(json.loads(request.config))
        state, _ = request.begun().restore()
        position = state["position"] if state else 0.0
        for milestone in [*request.milestones, config.budget.amount]:
            if milestone <= position:
                continue
            if files.exists(location(request.folder) / STOP_FILE):
                between = (position + milestone) / 2
                save(request, between)
                yield make_result(config, between, None, "interrupted")
                return
            value = self.curve(config, milestone)
            done = milestone == config.budget.amount
            status = "diverged" if value is None or not math.isfinite(value) else "completed" if done else "running"
            if status == "running" and milestone in request.checkpoint_at:
                save(request, milestone)
            elif status != "diverged" and self.random.random() < self.checkpoint_chance:
                save(request, milestone if not done else milestone - 1)
            kept = leave_weights(request) if status == "completed" and request.keep else None
            yield {**make_result(config, milestone, value, status), "weights": kept}
            if status == "diverged":
                return


def leave_weights(request: Request) -> str:
    path = kept_weights.path_of(request.key, request.attempt)
    inside.write(location(request.folder), path, b"made up")
    return path


def save(request: Request, position: float) -> None:
    request.begun().save({"position": position})


def make_result(config: TrainConfig, milestone: float, value: float | None, status: str) -> dict[str, Any]:
    """What a trial says of itself, as ``RayTrainable.step`` does."""
    step = int(milestone)
    return {
        **RESULT,
        "status": status,
        "milestone": milestone,
        "step": step,
        "tokens": step * config.data.batch_tokens,
        "flops": step * 1000,
        "seconds": step * 0.1,
        "train_minutes": step * 0.1 / 60,
        "wall_seconds": step * 0.1 + 1,
        config.budget.unit: milestone,
        "progress": milestone / config.budget.amount,
        "multiplier": 0.5,
        "val_loss": value,
        "val_bpb": value,
        "reason": f"validation loss is not finite at step {step}" if status == "diverged" else "",
        "done": status != "running",
    }


@dataclass
class Bench:
    """One campaign in a folder, which can be started, dropped and started again."""

    folder: Location
    space: Space
    base: TrainConfig
    now: float = 0.0  # what the search's clock shows

    def search(self, trials: int = 9, slots: int = 2, seed: int = 0, **asked: Any) -> Search:
        """A start of the campaign: the first one creates it, each later one is a resume.

        ``asked`` are fields of the spec, of ``OneStart``, ``Problem`` and ``TrialOrigins``.
        """

        def taken(kind: type[Any]) -> dict[str, Any]:
            return {f.name: asked.pop(f.name) for f in fields(kind) if f.name in asked}

        asked = {"stopper": "asha", "reports": 0, "confirm": False} | asked
        spec = CampaignSpec(space=self.space.name, trials=trials, seed=seed, **taken(CampaignSpec))
        usual = {"code_version": "made-up-version", "clock": lambda: self.now}
        here = OneStart(slots, seed, **usual | taken(OneStart))
        problem = Problem(self.space, self.base, spec, DATA, **taken(Problem))
        return Search(problem, self.store(), here, TrialOrigins(**asked))

    def store(self) -> Store:
        if files.exists(self.folder / "campaign.json"):
            return Store.open(self.folder)
        campaign = {"space": self.space.name, "scale": "proxy", "objective": self.space.objective}
        return Store.create(self.folder, campaign, self.space.column_types())

    def rows(self) -> list[dict[str, Any]]:
        """The trials as they are stored, in order of their numbers."""
        return sorted(self.store().trials(), key=lambda row: int(row["number"]))

    @property
    def base_key(self) -> str:
        return self.base.key(DATA)


@pytest.fixture
def make_bench(tmp_path: Path, toy_space: Space, toy_base: TrainConfig) -> Callable[..., Bench]:
    """A bench of its own for each name."""

    def make(name: str = "campaign", space: Space = toy_space, base: TrainConfig = toy_base) -> Bench:
        return Bench(tmp_path / name, space, base)

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def play() -> type[Tune]:
    """The executor that plays Ray Tune."""
    return Tune


@pytest.fixture(scope="session")
def result_of() -> Callable[..., dict[str, Any]]:
    return make_result


@pytest.fixture
def turning() -> Callable[[TrainConfig, float], float]:
    """Curves by the order in which trials come: values on the way order the first ends, and later ones no longer.

    The base and seven others end in the order of their values. Of those after them every second one is far behind on
    the way, and would end as the best; the others are ahead on the way, and end as the worst.
    """
    come: dict[str, int] = {}

    def value(config: TrainConfig, milestone: float) -> float:
        place, at_end = come.setdefault(repr(config), len(come)), milestone >= config.budget.amount
        if place < 8:
            return (2.0 if at_end else 3.0) + place / 10
        behind = place % 2 == 0
        if at_end:
            return 1.5 + place / 1000 if behind else 3.0 + place / 1000
        return 3.9 + place / 1000 if behind else 3.0 - place / 1000

    return value


@pytest.fixture(scope="session")
def toy_curve() -> Callable[[TrainConfig, float], float]:
    return curve
