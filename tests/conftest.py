"""What the tests of training share: a tiny model, tiny data, and runs that can be compared bit for bit."""

from __future__ import annotations

import copy
import dataclasses
import gc
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from storage import location, remote
from trainable import config as _registers_all_components  # noqa: F401
from trainable.component import Component
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig, Dataset, TokenStream
from trainable.data.tokenizer import Tokenizer
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.models.gpt import GPT
from trainable.models.model import Model
from trainable.optimizers import iteration_precision
from trainable.report import Report
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.seeds import manual_seed
from trainable.train import train
from trainable.worker import checkpoint

TINY = {"num_layers": 2, "model_dim": 32, "num_heads": 4, "num_kv_heads": 2}  # for every model that has such fields
VOCAB_SIZE = 260
location.KINDS["memory"] = "a bucket within one process, for tests: users are refused it (tests/storage)"
PARTS = {"stem part": "stem", "layer part": "layers", "attention part": "attention"}  # kinds and fields of a model

for _number, _way in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:  # as under nohup or `&`: what tests start would inherit it
        signal.signal(_number, _way)


# Files that take longest, first: what a worker begins last, the other one waits for at the end.
FIRST = (
    "tests/test_end_to_end.py",
    "tests/tuner/test_transfer.py",
    "tests/tuner/test_run.py",
    "tests/trainable/worker/test_fidelity.py",
    "tests/tuner/audit/",
    "tests/tuner/own/",
    "tests/tuner/test_",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files before all others; within both, files and tests stay in their order."""
    items.sort(key=lambda item: next((n for n, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST)))


def pytest_collection_finish() -> None:
    """Take what collecting has made out of the garbage collector's sight: it stays to the end of the session.

    Twelve thousand tests are millions of objects. A full collection, which every reused worker asks for between two
    trials, would look through all of them each time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_in_the_checkout() -> Iterator[None]:
    """Hold that tests leave nothing at the top of the checkout, from where a commit would take it along."""
    top = Path(__file__).parents[1]
    before = {path.name for path in top.iterdir()}
    yield
    left = {path.name for path in top.iterdir() if not path.name.startswith(".")} - before - {"__pycache__"}
    assert not left, f"a test has written {', '.join(sorted(left))} into {top}: give it a folder of its own"


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """Campaigns write many small files; what a power cut leaves of those of a test is not the question."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _rays_of_its_own() -> Iterator[None]:
    """Keep the Rays of this worker of the tests apart from those of the others.

    A command looks for what killed drivers have left, where it puts a Ray of its own: it would clean up behind a
    campaign that a test of another worker has just killed, and say so in the middle of its lines.
    """
    folder = tempfile.TemporaryDirectory(prefix="t", ignore_cleanup_errors=True)
    with folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", folder.name)
        yield


@dataclasses.dataclass
class FaultCount:
    """What a test of the fault harness injected, and what it found wrong."""

    seed: int
    injected: Counter[str] = dataclasses.field(default_factory=Counter)
    lost: int = 0  # trials without an end
    twice: int = 0  # finished trials that were started again
    unreadable: int = 0  # result files
    differing: int = 0  # trials whose end is not that of an uninterrupted run


@pytest.fixture
def fault_count(request: pytest.FixtureRequest, record_property: Callable[[str, Any], None]) -> Iterator[FaultCount]:
    """Of one test; all of them together are the last line of the session (pytest_terminal_summary)."""
    count = FaultCount(request.node.callspec.params["seed"])
    yield count
    record_property("faults", vars(count) | {"injected": dict(count.injected)})


@pytest.fixture
def damage() -> Callable[..., None]:
    """``tests/damaged.py``: what a disk or a copy does to a file."""
    found: Callable[..., None] = runpy.run_path(str(Path(__file__).with_name("damaged.py")))["damage"]
    return found


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The line that a run of ``pytest -m faults`` ends with."""
    reports = [
        report for found in terminalreporter.stats.values() for report in found if hasattr(report, "user_properties")
    ]
    found = [value for r in reports for name, value in r.user_properties if name == "faults" and r.when == "teardown"]
    if not found:
        return
    injected = sum((Counter(one["injected"]) for one in found), Counter())
    kinds = ", ".join(f"{count} {kind}" for kind, count in injected.most_common())
    wrong = {name: sum(one[name] for one in found) for name in ("lost", "twice", "unreadable", "differing")}
    seeds = sorted({one["seed"] for one in found})
    terminalreporter.write_line(f"faults injected: {injected.total()} ({kinds}); seeds {seeds}")
    terminalreporter.write_line(
        "trials lost {lost}, finished trials run twice {twice}, unreadable result files {unreadable}, "
        "trials that end otherwise than uninterrupted {differing}".format(**wrong)
    )


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order, and no trace in the global generator that a later test could depend on."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        manual_seed(0)
        yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def muon_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results do not depend on the machine, and no measurement of it is put into the user's cache."""
    monkeypatch.setattr(iteration_precision, "smallest_side", lambda: None)


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Tokens in which each one often decides the next, with the byte counts of a real byte-level vocabulary."""
    tokenizer = Tokenizer(r"\w+|\W", (*(bytes([i]) for i in range(256)), b"th", b"he", b"the"))
    draw = np.random.default_rng(7)
    successor = draw.permutation(VOCAB_SIZE)
    tokens = [tokenizer.bos]
    for random in draw.random(2999):
        tokens.append(int(successor[tokens[-1]]) if random < 0.7 else int(draw.integers(VOCAB_SIZE)))
    stream = np.array(tokens, dtype=np.uint16)
    train_stream = TokenStream((Path("made-up"),), (stream[:2500],), VOCAB_SIZE)
    return Dataset("made-up", VOCAB_SIZE, train_stream, stream[2500:], tokenizer.byte_counter(), "made-up tokens")


@pytest.fixture(scope="session")
def tiny() -> TrainConfig:
    """Six steps of a model with two layers of width 32."""
    return TrainConfig(
        model=GPT(**TINY),
        data=DataConfig(vocab_size=VOCAB_SIZE, seq_len=16, batch_tokens=64),
        budget=Budget(steps=6),
        evaluation=EvaluationConfig(tokens=64, seq_len=16, batch_tokens=64),
    )


@pytest.fixture(scope="session")
def shrink() -> Callable[[Model], Model]:
    """A model at the tiny size."""

    def shrunk(model: Model) -> Model:
        known = {f.name for f in dataclasses.fields(model)}
        return dataclasses.replace(model, **{k: v for k, v in TINY.items() if k in known})

    return shrunk


@dataclasses.dataclass
class Trained:
    """A run that has ended, and everything in it that must not depend on chance."""

    run: Run
    reports: list[Report]

    @property
    def last(self) -> Report:
        return self.reports[-1]

    @property
    def numbers(self) -> dict[str, Any]:
        """Weights, states, generator and the last report; clocks, which differ from run to run, are left out."""
        state = self.run.state_dict()
        clocked = ("seconds", "minutes")
        names = [f.name for f in dataclasses.fields(Report) if not f.name.endswith(clocked)]
        timeless = {name: getattr(self.last, name) for name in names}
        kept = ("network", "buffers", "optimizer", "hooks", "generator", "position", "loss_sum", "loss_steps")
        return {"report": timeless, **{name: state[name] for name in kept}}


@pytest.fixture
def run_to_end(dataset: Dataset) -> Callable[..., Trained]:
    """Train a config, or go on with a run, to its end."""

    def go(
        config: TrainConfig | Run,
        milestones: Sequence[float] = (),
        runtime: Runtime | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Trained:
        run = config if isinstance(config, Run) else Run.start(config, dataset, runtime or Runtime())
        return Trained(run, list(train(run, milestones, should_stop)))

    return go


@pytest.fixture(scope="session")
def first_difference() -> Callable[..., str | None]:
    """Where two trees of tensors and numbers differ in a bit; None where they are identical."""

    def compare(a: Any, b: Any, at: str = "") -> str | None:
        if isinstance(a, torch.Tensor):
            same = isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape
            same = same and torch.equal(_bits(a), _bits(b))
            return None if same else f"{at}: {a} and {b}"
        if isinstance(a, dict):
            if not isinstance(b, dict) or a.keys() != b.keys():
                return f"{at}: {a} and {b}"
            return next((d for k in a if (d := compare(a[k], b[k], f"{at}/{k}"))), None)
        if isinstance(a, list):
            if not isinstance(b, list) or len(a) != len(b):
                return f"{at}: {a} and {b}"
            return next((d for i in range(len(a)) if (d := compare(a[i], b[i], f"{at}/{i}"))), None)
        return None if a == b else f"{at}: {a!r} and {b!r}"

    return compare


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """The bytes, with -0.0 as 0.0: the two are the same number, and NaN is compared too."""
    whole = tensor.detach().cpu().contiguous().reshape(-1)
    return (whole + 0.0 if whole.is_floating_point() else whole).view(torch.uint8)


@pytest.fixture
def with_component(tiny: TrainConfig) -> Callable[[Component], TrainConfig]:
    """The tiny config with a component in its place."""

    def place(part: Component) -> TrainConfig:
        if part.kind == "hook":
            return dataclasses.replace(tiny, hooks=(part,))
        if part.kind == "loss term":
            return dataclasses.replace(tiny, losses=(part,))
        if part.kind in ("mlp", "block", "init"):
            return dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, **{part.kind: part}))
        if part.kind in PARTS:
            return dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, **{PARTS[part.kind]: (part,)}))
        return dataclasses.replace(tiny, **{part.kind: part})

    return place


@pytest.fixture
def assert_resumes_identically(
    first_difference: Callable[..., str | None], dataset: Dataset, tmp_path: Path
) -> Callable[..., None]:
    """A run that goes on from a file written after any of its steps ends as the straight run does, bit for bit.

    Held step by step: from the state after each one, the next comes to the straight run's state and report after it.
    """

    def check(config: TrainConfig, runtime: Runtime | None = None) -> None:
        runtime = runtime or Runtime()
        straight, milestones = Run.start(config, dataset, runtime), range(1, config.budget.steps or 0)
        expected = []
        for report in train(straight, milestones):
            checkpoint.save(tmp_path, str(report.step), straight.state_dict(), "key")
            expected.append(copy.deepcopy(Trained(straight, [report]).numbers))
        assert len(expected) == config.budget.steps
        for step in milestones:
            resumed = Run.start(config, dataset, runtime)
            resumed.load_state_dict(checkpoint.load(tmp_path / str(step), "key"))
            found = Trained(resumed, [next(train(resumed, milestones))]).numbers
            assert first_difference(expected[step], found) is None, f"the step after {step}"

    return check


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the environment must say so that s3://bucket is one of this machine, which lasts as long as the session."""
    port = tmp_path_factory.mktemp("s3") / "port"
    server = subprocess.Popen([sys.executable, str(Path(__file__).with_name("s3_server.py")), str(port)])
    try:
        while not port.exists():
            assert server.poll() is None, "the S3 server did not start"
            time.sleep(0.05)
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port.read_text()}",
            "AWS_ACCESS_KEY_ID": "writer",
            "AWS_SECRET_ACCESS_KEY": "made-up-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def bucket(s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """s3://bucket is there, for this process and those it starts."""
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    remote._s3.cache_clear()
    yield
    remote._s3.cache_clear()


@pytest.fixture
def fresh_compiler() -> Iterator[None]:
    """A compiler that has seen no graph yet, and leaves none behind."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.fixture
def counting_compiler(fresh_compiler: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``torch.compile`` that runs a graph as it stands, and counts the graphs in ``frame_count``."""
    from torch._dynamo.testing import CompileCounterWithBackend

    counter, compiled = CompileCounterWithBackend("eager"), torch.compile
    monkeypatch.setattr(torch, "compile", lambda function, **options: compiled(function, backend=counter, **options))
    return counter
