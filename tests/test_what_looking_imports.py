"""What commands that only look import: none of the libraries that take seconds, but for those that their answer needs.

Those that may import the same run one after the other in one process, which says after each what it has loaded since.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REPLAY = "results/recorded/parameter_golf"
GOLF = ("-m", "tuner.run", "--space", "parameter_golf")
HEAVY = {"torch", "ray", "optuna", "pandas", "scipy", "matplotlib"}
NUMBERS = {"numpy", "pyarrow", "pydantic", "tiktoken", "rich"}
SEEN = HEAVY | NUMBERS

# Reads commands, runs each as Python does, and prints their exit codes and which libraries each was the first to load.
LOOKS = """
import io, json, runpy, sys
from contextlib import redirect_stderr, redirect_stdout
commands, libraries = json.load(sys.stdin)
known, found = set(sys.modules), []
for kind, what, *arguments in commands:
    sys.argv, said, code = [what, *arguments], io.StringIO(), 0
    with redirect_stdout(said), redirect_stderr(said):
        try:
            exec(what, {}) if kind == "-c" else runpy.run_module(what, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            code = end.code or 0
    loaded = {name.partition(".")[0] for name in set(sys.modules) - known}
    found.append((code, sorted(loaded & set(libraries)), said.getvalue()))
    known = set(sys.modules)
print(json.dumps(found))
"""

# Libraries that may be loaded -> commands that may load no others.
MAY_LOAD: dict[tuple[str, ...], list[tuple[str, ...]]] = {
    (): [
        ("-c", "import tuner"),
        ("-c", "import results"),
        ("-m", "tuner.run", "--trials", "0"),
    ],
    ("rich",): [
        ("-m", "tuner.run", "--help"),
        ("-m", "search_spaces.reference", "--help"),
    ],
    ("numpy", "rich"): [(*GOLF, "--show", "A*")],
    tuple(NUMBERS - {"rich"}): [
        ("-c", "import results.store.campaign_folder"),
        ("-c", "import trainable.config"),
        ("-m", "tuner.run", "--no-such-option"),  # looked for among the settings too
        (*GOLF, "--stopper", "ashra"),
        (*GOLF, "--fidelity", "brunch"),
    ],
    tuple(NUMBERS): [
        ("-m", "tuner.run", "--list"),
        ("-m", "tuner.run", "--list", "--space", "parameter_golf"),
        ("-m", "tuner.run", "--list", "--space", "parameter_gulf"),
        (*GOLF, "--set", "model.layers=3"),
        (*GOLF, "--data", "/nowhere"),
        (*GOLF, "--set", "schedule=Tidle"),
        ("-m", "tuner.run", "--space", "parameter_gulf"),
        ("-m", "tuner.run", "--resume", "no-such-campaign"),
        ("-m", "tuner.status", "--help"),
        ("-m", "tuner.status", REPLAY),
        ("-m", "tuner.status", "no-such-campaign"),
        ("-m", "tuner.export", "--help"),
        ("-m", "tuner.sample", "--top-k", "0"),
        ("-m", "search_spaces.reference", "knobs/README.md"),
    ],
    # Each times the model, for what it costs.
    (*NUMBERS, "torch"): [
        (*GOLF, "--show", "H1"),
        (*GOLF, "--dry-run", "--no-audit", "--concurrent", "1"),  # timed without another beside it
    ],
    # Tables of trials are data frames.
    (*NUMBERS, "pandas"): [
        ("-m", "tuner.export", "no-such-campaign"),
        ("-m", "results.report", REPLAY),
    ],
}
# A driver holds what it has loaded as long as the search takes.
MAY_LOAD[*NUMBERS, "optuna", "pandas", "ray"] = [
    ("-c", "import tuner.start, tuner.search_loop, tuner.cluster.ray_tune, tuner.cluster.connect, tuner.cli.summary"),
]
TAKES_LONGER = {
    (*NUMBERS, "torch"): [(*GOLF, "--dry-run")],  # its audit trains
}


def check(allowed: set[str], commands: list[tuple[str, ...]]) -> None:
    given = json.dumps([commands, sorted(SEEN)])
    run = subprocess.run([sys.executable, "-c", LOOKS], input=given, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout)
    assert len(found) == len(commands)
    for command, (code, loaded, said) in zip(commands, found, strict=True):
        assert code in (0, 2) and "Traceback" not in said, f"{' '.join(command)}: {code}\n{said[-2000:]}"
        assert set(loaded) <= allowed, " ".join(command)
    assert any(loaded for _, loaded, _ in found) == bool(allowed), "it is told what they load"


@pytest.mark.parametrize("allowed", MAY_LOAD, ids=lambda allowed: " ".join(sorted(allowed)) or "none")
def test_commands_that_look_import_no_more_than_they_need(allowed) -> None:
    check(set(allowed), MAY_LOAD[allowed])


@pytest.mark.slow
@pytest.mark.parametrize("allowed", TAKES_LONGER, ids=lambda allowed: " ".join(sorted(allowed)))
def test_commands_that_take_longer_import_no_more_than_they_need(allowed) -> None:
    check(set(allowed), TAKES_LONGER[allowed])
