"""``python -m tuner.contracts``: what holds for our components is asked of a user's own, and nothing else is."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.own_files import EXAMPLES, HOOK, forgotten
from tuner import contracts

ROOT = Path(contracts.__file__).parents[1]
STEADY = '''"""Schedules of a user's own that end nowhere."""

from dataclasses import dataclass

from trainable.ranges import Part
from trainable.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Steady(Schedule):
    """1 from the first step to the last."""

    def __call__(self, progress: float) -> float:
        return 1.0


@dataclass(frozen=True, kw_only=True)
class InverseRoot(Schedule):
    """1 / sqrt(1 + s p), which would fall for ever."""

    slope: Part = 0.5

    def __call__(self, progress: float) -> float:
        return (1 + self.slope * progress) ** -0.5
'''
ONE_SCALE = '''"""A space of a user's own with one scale, and two values in all."""

from search_spaces.domains import Choice
from search_spaces.space import Knob, Scale, Space
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.models.gpt import GPT
from trainable.schedules import Cosine, Warmdown

BASE = TrainConfig(
    model=GPT(num_layers=4, model_dim=64, num_heads=4, num_kv_heads=4, encoder_layers=2),
    data=DataConfig(source="stdlib", vocab_size=1024, seq_len=128, batch_tokens=1024),
    budget=Budget(steps=200),
    evaluation=EvaluationConfig(tokens=32_768, seq_len=128),
)
SPACE = Space(
    name="single",
    question="Which shape",
    objective="val_bpb",
    scales={"laptop": Scale(BASE, trials=2, about="one size")},
    knobs=(Knob("schedule", Choice(Cosine(), Warmdown()), "two that are known"),),
)
'''


@pytest.fixture(autouse=True)
def forgetting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with forgotten():
        yield


def held(*files: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tuner.contracts", *map(str, files)]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)


def test_the_examples_hold_what_ours_hold() -> None:
    done = held(EXAMPLES / "sawtooth.py", EXAMPLES / "small_space.py")
    assert done.returncode == 0, done.stdout + done.stderr
    first, *lines, last = done.stdout.splitlines()
    assert first == "contracts of Sawtooth, small:" and last == f"{len(lines)} contracts hold"
    assert all(line.startswith(("  ok       Sawtooth: ", "  ok       small: ")) for line in lines)
    assert "  ok       Sawtooth: it ends on its floor and never falls below" in lines
    assert not list(Path().iterdir()), "it leaves nothing in the current folder"


def test_schedules_without_an_end_and_a_space_of_one_scale_and_few_values_hold() -> None:
    Path("steady.py").write_text(STEADY)
    Path("one_scale.py").write_text(ONE_SCALE)
    done = held("steady.py", "one_scale.py")
    assert done.returncode == 0, done.stdout + done.stderr
    _, *lines, last = done.stdout.splitlines()
    skipped = [line for line in lines if not line.startswith("  ok ")]
    assert skipped == [
        "  skipped  InverseRoot: it ends on its floor and never falls below: it has no floor (min_lr_frac) to end on",
        "  skipped  Steady: it ends on its floor and never falls below: it has no floor (min_lr_frac) to end on",
        "  skipped  single: the proxy keeps the structure of the full scale: single-laptop: it has no scales full and "
        "proxy to hold against each other",
    ]
    assert last == f"{len(lines) - 3} contracts hold, 3 not asked"
    assert sorted(path.name for path in Path().iterdir()) == ["one_scale.py", "steady.py"]


def test_a_trick_whose_neutral_setting_does_something_is_found() -> None:
    Path("nudge.py").write_text(HOOK.replace("1 - self.amount", "0.999 - self.amount"))
    done = held("nudge.py")
    assert done.returncode == 1 and "GradientClip" not in done.stdout
    failed = [line for line in done.stdout.splitlines() if line.startswith("  failed ")]
    lacks = "Nudge.amount: the type of amount has no range: trainable/ranges.py has some, as Part for 0 to 1"
    number = ("its range is part of its type and holds its default", "what is out of its range is refused in one line")
    assert sum(line.startswith("  failed   Nudge: neutral is bit identical to absent: ") for line in failed) == 1
    for contract in number:
        assert sum(line.startswith(f"  failed   Nudge: {contract}") and line.endswith(lacks) for line in failed) == 1
    assert done.stdout.splitlines()[-1].startswith("4 of ") and "Traceback" not in done.stdout + done.stderr


def test_bad_input_is_one_line_with_exit_code_2(capsys) -> None:
    Path("empty.py").write_text('"""Nothing."""\n')
    Path("broken.py").write_text("def")
    for file, said in {
        "empty.py": "empty.py: no component and no space is defined there",
        "broken.py": "broken.py, line 1: invalid syntax",
        "emty.py": "there is no file 'emty.py': did you mean 'empty.py'?",
    }.items():
        assert contracts.main([file]) == 2
        err = capsys.readouterr().err
        assert said in err and err.count("\n") == 1


def test_they_are_found_where_the_package_was_installed(tmp_path, monkeypatch) -> None:
    class Installed(importlib.metadata.PackagePath):
        def locate(self) -> Path:
            return tmp_path / self

    place = Installed("share/tuner/tests/contracts/test_every_component.py")
    monkeypatch.setattr(contracts, "__file__", str(tmp_path / "site-packages" / "tuner" / "contracts.py"))
    monkeypatch.setattr(contracts, "files", lambda name: [Installed("tuner/run.py"), place])
    assert contracts.contracts() == tmp_path / "share/tuner/tests/contracts"
    monkeypatch.setattr(contracts, "files", lambda name: [Installed("tuner/run.py")])
    with pytest.raises(ValueError, match="are not installed here: run this from a checkout"):
        contracts.contracts()


def test_an_installation_takes_the_contracts_along_and_an_image_without_tests_is_still_built() -> None:
    taken = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    found = {place: {file.name for one in patterns for file in ROOT.glob(one)} for place, patterns in taken.items()}
    assert found["share/tuner/tests"] == {"conftest.py"}
    assert found["share/tuner/tests/contracts"] == {file.name for file in (ROOT / "tests/contracts").glob("*.py")}
    assert all("*" in pattern for patterns in taken.values() for pattern in patterns), "a file that lacks ends a build"
