"""Every option in every mode: it does something there, or it is refused in one line that says with what it goes."""

from __future__ import annotations

import pytest

from tuner.cli import modes, options
from tuner.cli.option_groups import parser

BASES = {  # mode -> a command line of it
    modes.NEW_SEARCH: ["--space", "parameter_golf"],
    modes.REPLAY: ["--space", "parameter_golf", "--replay", "H1"],
    modes.RESUME: ["--resume", "night"],
    modes.LIST: ["--list"],
    modes.KNOBS: ["--list", "--space", "parameter_golf"],
    modes.SHOW: ["--space", "parameter_golf", "--show", "H1"],
    modes.PLAN: ["--space", "parameter_golf", "--dry-run"],
}
VALUES = {
    "space": "ngpt", "scale": "proxy", "set": "seed=3", "data": "stdlib", "objective": "val_loss", "likely": "a=1..2",
    "constraint": "parameters<=1e6", "warm-start": "recorded", "reuse": "earlier", "trials": "7", "seed": "7",
    "reading": "as_logged", "seeds": "2", "sampler": "tpe",
    "stopper": "median", "fidelity": "branch", "reports": "3", "confirm": "2x2",
    "concurrent": "1", "gpu-fraction": "0.5", "cpus": "3", "stall-minutes": "3", "name": "night", "results": "runs",
    "hours": "2", "address": "auto", "device": "h100", "slots": "8", "tokens-per-second": "1000", "price": "2",
    "show": "N3", "notify": "say done", "log": "wandb", "import": "my_tricks.py", "resume": "night", "replay": "N3",
    "precision": "bf16", "keep": "all", "confirm-scale": "full", "carry": "3",
    "monitor": "clips", "checkpoint-every": "7",
}  # fmt: skip
WAYS = ("checkpoint-activations", "compile-blocks", "flex-attention", "cuda-graphs")
NO_WAYS = tuple(f"no-{name}" for name in WAYS)
FLAGS = ("list", "dry-run", "trust-sources", "audit", "ablate", "compile", "mixed-devices", "promote", *WAYS)
NEGATED = (
    "no-audit",
    "no-ablate",
    "no-compile",
    "no-mixed-devices",
    "no-confirm",
    "no-reuse",
    "no-promote",
    *NO_WAYS,
)
OPTIONS = sorted({*VALUES, *FLAGS, *NEGATED})
CHOOSES = ("list", "show", "resume", "replay", "space")  # a mode: beside another's option, it may be that mode's
SAYS_THE_DEFAULT = (
    "audit",
    "no-ablate",
    "no-compile",
    "no-mixed-devices",
    *NO_WAYS,
)  # of a new campaign


def test_every_option_stands_in_the_table_and_here() -> None:
    found = {name for action in parser()._actions for name in action.option_strings} - {"-h", "--help"}
    assert found == {f"--{name}" for name in modes.GOES_WITH} == {f"--{name}" for name in OPTIONS}
    assert set().union(*modes.GOES_WITH.values()) == set(modes.MODES)


@pytest.mark.parametrize("mode", modes.MODES)
@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_does_something_or_is_refused_with_what_it_goes_with(mode, name, capsys) -> None:
    base, given = BASES[mode], [f"--{name}", *([VALUES[name]] if name in VALUES else [])]
    before = options.parse(base)
    goes = modes.GOES_WITH[name]
    if given[0] in base:  # the option that chooses this mode: nothing is given twice
        assert mode in goes or mode == modes.PLAN or name in CHOOSES
        return
    try:
        after = options.parse([*base, *given])
    except SystemExit as ended:
        said = capsys.readouterr().err
        assert ended.code == 2 and said.count("\n") == 1
        refused = said.split()[3].removeprefix("--")  # the option itself, or the one whose mode it has taken
        assert refused == name or (name in CHOOSES and f"--{refused}" in base)
        with_what = f"goes with {modes.listed(modes.GOES_WITH[refused])}, not with "
        assert f"--{refused} {with_what}" in said or f"--{refused} stands alone, not with " in said
        assert mode not in goes
        return
    assert mode in goes or (mode == modes.PLAN and modes.NEW_SEARCH in goes) or name in CHOOSES
    assert after != before or (name in SAYS_THE_DEFAULT and mode != modes.RESUME)
