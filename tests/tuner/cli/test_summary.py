"""The end of a search leaves its page of results and the winner's command in its folder."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest

from results import load
from results.design import Design
from results.leads import lead_lines
from results.page import PAGE
from results.questions.next_steps import next_steps
from results.winner_command import kept_command
from terminal.console import Console
from tests.tuner.test_confirm import better
from tuner.campaign.record import ranges_of
from tuner.cli import summary
from tuner.cli.summary import conclude, keep_command, print_ablation, print_winner
from tuner.search_loop import Search


@pytest.mark.usefixtures("pages")
def test_a_search_ends_with_its_page_and_keeps_the_winners_command(bench, play) -> None:
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    play(search, curve=better).run()
    console = Console(file=io.StringIO(), width=200)
    assert conclude(console, search) == 0
    assert f"Page: {search.folder / PAGE}" in console.file.getvalue()
    assert "is better than the base" in (search.folder / PAGE).read_text("utf-8")
    line = "python -m tuner.run --space made_up --trials 1"
    keep_command(console, search, search.confirmation, line)
    kept = kept_command(load(search.folder))
    assert kept is not None and kept.line == line and not kept.minimal


def ends(search) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    conclude(console, search)
    return console.file.getvalue().splitlines()


def test_a_search_ends_with_what_the_report_says_to_do_next_and_says_none_of_it_twice(bench, play) -> None:
    search = bench.search(trials=9, seed=2)
    play(search, curve=better).run()
    lines = ends(search)
    leads = lead_lines(load(search.folder))
    first = lines.index(leads[0])
    assert lines[first : first + len(leads)] == leads
    assert sum("--confirm " in line for line in lines) == 1 and any(line.startswith("What next: ") for line in leads)


def test_an_ablation_is_advised_once_and_takes_as_long_as_the_report_says(bench, play) -> None:
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    search.ledger.store.revise({"ranges": ranges_of(bench.space.knobs)})
    play(search, curve=better).run()
    (step,) = (row for row in next_steps(load(search.folder)).to_dict("records") if row["step"] == "take apart")
    (advice,) = (line for line in ends(search) if "--ablate" in line)
    assert "What next: Take apart" in "".join(ends(search)) and not advice.startswith("Which of its")
    console = Console(file=io.StringIO(), width=200)
    print_ablation(console, search, search.confirmation, load(search.folder))
    assert step["takes"] in console.file.getvalue() and ", about " in step["takes"]


def test_a_search_that_carries_its_best_over_by_itself_is_not_told_to(bench, play) -> None:
    search = bench.search(trials=9, seed=2)
    play(search, curve=better).run()
    search.ledger.store.revise({"confirm_scale": "full"})
    assert any(line.startswith("What next: Carry over") for line in ends(search))
    search.spec = replace(search.spec, confirm_scale="full")
    assert not any(line.startswith("What next: ") for line in ends(search))


def test_a_search_that_was_stopped_ends_with_how_to_go_on_alone(bench, play, monkeypatch) -> None:
    search = bench.search(trials=9, seed=2)
    play(search, curve=better).run()
    search.stop("time is up")
    monkeypatch.setattr(Search, "trials", 10)
    lines = ends(search)
    assert lines[-1].startswith("ended early (time is up)") and not any(line.startswith("What ") for line in lines)


@pytest.mark.parametrize(("base", "says"), [("completed", True), ("crashed", True), ("infeasible", False)])
def test_a_confirmation_is_advised_unless_the_base_is_beyond_a_limit(base, says, tmp_path) -> None:
    def entry(status: str, is_base: bool) -> SimpleNamespace:
        return SimpleNamespace(status=status, row={"is_base": is_base})

    every = [entry(base, True), entry("completed", False)]
    entries, done = SimpleNamespace(values=lambda: every), [one for one in every if one.status == "completed"]
    ledger = SimpleNamespace(entries=entries, completed=lambda: done)
    space = SimpleNamespace(second_objective=None)
    search = SimpleNamespace(ledger=ledger, stopping="", space=space, folder=tmp_path / "night")
    console = Console(file=io.StringIO(), width=200)
    summary.print_unconfirmed(console, search)
    assert ("A confirmation on fresh seeds tells" in console.file.getvalue()) is says


def test_the_runs_of_an_ablation_are_one_number_where_there_is_one(bench, play, monkeypatch) -> None:
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    play(search, curve=better).run()
    said = {}
    for fewest, most in ((10, 10), (10, 30)):
        monkeypatch.setattr(summary, "num_runs", lambda parts, seeds, ends=(fewest, most): ends)
        console = Console(file=io.StringIO(), width=200)
        print_ablation(console, search, search.confirmation, load(search.folder))
        said[most] = console.file.getvalue()
    assert " 10 runs" in said[10] and "to 10 runs" not in said[10] and " 10 to 30 runs" in said[30]


def test_the_winners_command_is_said_to_train_once_on_the_seed_of_the_base(bench, play, monkeypatch) -> None:
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    play(search, curve=better).run()
    monkeypatch.setattr(summary, "command_for", lambda campaign, config: "python -m tuner.run --space made_up")
    console = Console(file=io.StringIO(), width=200)
    print_winner(console, search, search.confirmation)
    seed = search.space.scale("proxy").base.seed
    heading = f"The winner as a command (trains it once more, alone, on seed {seed}):"
    assert f"{heading}\n  python -m tuner.run --space made_up\n" in console.file.getvalue()
