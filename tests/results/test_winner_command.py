"""The winner's command is printed long after the run, while its winner stands, and only where it is a plain call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import Store, load
from results.plain_rows import plain_rows
from results.report import main
from results.statistics.confirmation import rounds, standing
from results.winner_command import WinnerCommand, is_plain_call, kept_command

LINE = "python -m tuner.run --space made_up --scale proxy --trials 1 --no-confirm --set 'a.b=x y'"


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search whose winner is established, and kept with its command."""
    folder = make(tmp_path_factory.mktemp("runs") / "made-up", 60, points=5, seed=3)
    stands = standing(rounds(plain_rows(load(folder).rows)))
    assert stands is not None and stands.judgement.winner is not None
    _keep(folder, arm=stands.judgement.winner.arm, minimal=False, line=LINE)
    return folder


def _keep(folder: Path, **kept: Any) -> None:
    store = Store.open(folder)
    store.revise({"winner_command": {**store.campaign.get("winner_command", {}), **kept}})


@pytest.mark.parametrize(("seed", "minimal"), [(None, False), (1337, False), (0, True)])
def test_a_heading_says_what_the_command_does(seed: int | None, minimal: bool) -> None:
    said = WinnerCommand(LINE, minimal, seed).heading
    assert said.startswith("The minimal winner" if minimal else "The winner") and "trains it once more, alone" in said
    assert ("on seed" in said) == (seed is not None) and (seed is None or f"on seed {seed})" in said)


def test_a_seed_that_the_search_was_given_is_not_the_commands(confirmed: Path) -> None:
    store = Store.open(confirmed)
    for overrides, seed in (({}, 1337), ({"seed": 5}, None)):
        store.revise({"base": {"seed": 1337}, "overrides": overrides})
        kept = kept_command(load(confirmed))
        assert kept is not None and kept.seed == seed
    store.revise({"base": {}, "overrides": {}})


def test_the_report_prints_the_command_of_the_winner(confirmed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(confirmed)]) == 0
    assert f"The winner as a command (trains it once more, alone):\n  {LINE}\n" in capsys.readouterr().out
    assert "--set 'a.b=x y'" in (confirmed / "report.html").read_text("utf-8")


@pytest.mark.parametrize("changed", [{"arm": "0" * 16}, {"line": f"{LINE}; rm -rf ~"}], ids=str)
def test_the_command_of_another_winner_and_a_line_of_more_are_not_shown(confirmed: Path, changed: Any) -> None:
    before = Store.open(confirmed).campaign["winner_command"]
    assert kept_command(load(confirmed)) is not None
    _keep(confirmed, **changed)
    assert kept_command(load(confirmed)) is None
    _keep(confirmed, **before)


@pytest.mark.parametrize(
    "line",
    [
        "rm -rf ~", f"{LINE}; rm -rf ~", f"{LINE} $(rm -rf ~)", f"{LINE} `rm`", f"{LINE} > ~/.bashrc", f"{LINE} | sh",
        f"{LINE}\nrm -rf ~", f"{LINE} & rm", f"{LINE} 'unclosed", f"{LINE} \x1b[31m", f"{LINE} \u202e", "python -m os",
        f"X=1 {LINE}", f"{LINE} ~", f"{LINE} *", "", f"{LINE} #",
    ],
)  # fmt: skip
def test_a_line_that_does_more_than_call_our_program_is_none(line: str) -> None:
    assert not is_plain_call(line)


def test_a_command_of_ours_is_a_plain_call() -> None:
    assert is_plain_call(LINE)
