"""What commands that only look import: none of the libraries that take seconds, but for those that their answer needs.

Each runs as a process of its own, whose ``-X importtime`` names every module that it loads.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REPLAY = "results/recorded/parameter_golf"
GOLF = ("-m", "tuner.run", "--space", "parameter_golf")
HEAVY = {"torch", "ray", "optuna", "pandas", "scipy", "matplotlib"}
NUMBERS = {"numpy", "pyarrow", "pydantic", "tiktoken", "rich"}

# Command -> which of HEAVY and NUMBERS it may import.
MAY_IMPORT: dict[tuple[str, ...], set[str]] = {
    ("-c", "import tuner"): set(),
    ("-c", "import results"): set(),
    ("-c", "import results.store.campaign_folder"): NUMBERS - {"rich"},
    ("-c", "import trainable.config"): NUMBERS - {"rich"},
    ("-m", "tuner.run", "--help"): {"rich"},
    ("-m", "tuner.run", "--trials", "0"): set(),
    ("-m", "tuner.run", "--no-such-option"): set(),
    (*GOLF, "--stopper", "ashra"): NUMBERS - {"rich"},
    (*GOLF, "--fidelity", "brunch"): NUMBERS - {"rich"},
    ("-m", "tuner.run", "--list"): NUMBERS,
    ("-m", "tuner.run", "--list", "--space", "parameter_golf"): NUMBERS,
    ("-m", "tuner.run", "--list", "--space", "parameter_gulf"): NUMBERS,
    (*GOLF, "--show", "A*"): {"numpy", "rich"},
    (*GOLF, "--set", "model.layers=3"): NUMBERS,
    (*GOLF, "--data", "/nowhere"): NUMBERS,
    (*GOLF, "--set", "schedule=Tidle"): NUMBERS,
    ("-m", "tuner.run", "--space", "parameter_gulf"): NUMBERS,
    ("-m", "tuner.run", "--resume", "no-such-campaign"): NUMBERS,
    # Each times the model, for what it costs.
    (*GOLF, "--show", "H1"): {*NUMBERS, "torch"},
    (*GOLF, "--dry-run", "--no-audit", "--concurrent", "1"): {*NUMBERS, "torch"},  # timed without another beside it
    ("-m", "tuner.status", "--help"): NUMBERS,
    ("-m", "tuner.status", REPLAY): NUMBERS,
    ("-m", "tuner.status", "no-such-campaign"): NUMBERS,
    ("-m", "tuner.export", "--help"): NUMBERS,
    ("-m", "tuner.export", "no-such-campaign"): {*NUMBERS, "pandas"},
    ("-m", "tuner.sample", "--top-k", "0"): NUMBERS,
    ("-m", "search_spaces.reference", "--help"): {"rich"},
    ("-m", "search_spaces.reference", "knobs/README.md"): NUMBERS,
    # Tables of trials are data frames.
    ("-m", "results.report", REPLAY): {*NUMBERS, "pandas"},
}


TAKES_LONGER: dict[tuple[str, ...], set[str]] = {
    (*GOLF, "--dry-run"): {*NUMBERS, "torch"},  # its audit trains
}


@pytest.mark.parametrize(
    "command", [*MAY_IMPORT, *(pytest.param(command, marks=pytest.mark.slow) for command in TAKES_LONGER)], ids=" ".join
)
def test_a_command_that_looks_imports_no_more_than_it_needs(command):
    run = subprocess.run([sys.executable, "-X", "importtime", *command], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode in (0, 2), run.stderr[-2000:]
    imported = {found[1].partition(".")[0] for found in re.finditer(r"^import time:.*\| +(\S+)$", run.stderr, re.M)}
    assert "re" in imported or "types" in imported  # it was told
    assert imported & (HEAVY | NUMBERS) <= (MAY_IMPORT | TAKES_LONGER)[command]
