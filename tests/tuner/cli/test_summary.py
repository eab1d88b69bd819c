"""The end of a search leaves its page of results and the winner's command in its folder."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from results import ending, load
from results.design import Design
from results.ending import doubts
from results.leads import lead_lines
from results.page import PAGE
from results.questions.next_steps import next_steps
from results.report import main
from results.winner_command import kept_command
from terminal.console import Console
from tests.tuner.test_confirm import better, inert
from tuner.campaign.record import ranges_of
from tuner.cli import summary
from tuner.cli.summary import conclude, keep_command, print_winner
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


def confirmed_search(bench, play) -> Search:
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    search.ledger.store.revise({"ranges": ranges_of(bench.space.knobs)})
    play(search, curve=better).run()
    return search


def test_an_ablation_is_advised_once_where_it_is_the_step_to_take_first(bench, play) -> None:
    lines = ends(confirmed_search(bench, play))
    (advice,) = (line for line in lines if "--ablate" in line)
    assert "What next: Take apart" in "".join(lines) and not advice.startswith("Which of its")


def test_an_ablation_that_comes_later_is_advised_with_its_time_by_the_search_and_its_report(bench, play) -> None:
    search = confirmed_search(bench, play)
    search.ledger.store.revise({"confirm_scale": "full"})
    (step,) = (row for row in next_steps(load(search.folder)).to_dict("records") if row["step"] == "take apart")
    (advice,) = (line for line in ends(search) if "--ablate" in line)
    assert advice.startswith("Which of its ") and step["takes"] in advice and ", about " in step["takes"]
    assert list(doubts(load(search.folder))) == [advice]


def reports(search, capsys) -> list[str]:
    main([str(search.folder), "--no-page"])
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("stopped", [False, True])
def test_the_report_says_what_the_search_said_at_its_end(bench, play, capsys, monkeypatch, stopped) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    search = confirmed_search(bench, play)
    search.ledger.store.revise({"confirm_scale": "full"})
    if stopped:
        search.stop("time is up")
        monkeypatch.setattr(Search, "trials", 10)
    own = ("Page: ", "ended early (time is up). Go on with: ")
    said = [line for line in ends(search)[1:] if not line.startswith(own)]
    assert any(line.startswith("What next: ") for line in said) and any(line.startswith("Which of") for line in said)
    assert said == [line for line in reports(search, capsys) if not line.startswith("note: ")]


NO_WINNER, ONE_CHANGE = (inert, None, "no winner to take apart"), (better, ["schedule"], "nothing to take apart")


@pytest.mark.parametrize(("curve", "parts", "says"), [NO_WINNER, ONE_CHANGE])
def test_an_ablation_that_was_asked_for_and_has_no_runs_says_why(bench, play, monkeypatch, curve, parts, says) -> None:
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    play(search, curve=curve).run()
    if parts:
        monkeypatch.setattr(ending, "parts_of", lambda results, key: parts)
    assert not any("take apart" in line for line in ending.not_taken_apart(load(search.folder)))
    search.ledger.store.revise({"ablate": True})
    (line,) = ending.not_taken_apart(load(search.folder))
    assert line.startswith("Ablation: ") and line.endswith(f"{says}.") and line in ends(search)


def test_a_search_that_carries_its_best_over_by_itself_is_not_told_to(bench, play) -> None:
    search = bench.search(trials=9, seed=2)
    play(search, curve=better).run()
    search.ledger.store.revise({"confirm_scale": "full"})
    assert any(line.startswith("What next: Carry over") for line in ends(search))
    search.spec = replace(search.spec, confirm_scale="full")
    assert not any(line.startswith("What next: ") for line in ends(search))


def test_a_search_that_was_stopped_ends_with_how_to_go_on(bench, play, monkeypatch) -> None:
    search = bench.search(trials=9, seed=2)
    play(search, curve=better).run()
    search.stop("time is up")
    monkeypatch.setattr(Search, "trials", 10)
    assert ends(search)[-1].startswith("ended early (time is up)")


def test_the_winners_command_is_said_to_train_once_on_the_seed_of_the_base(bench, play, monkeypatch) -> None:
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    play(search, curve=better).run()
    monkeypatch.setattr(summary, "command_for", lambda campaign, config: "python -m tuner.run --space made_up")
    console = Console(file=io.StringIO(), width=200)
    print_winner(console, search, search.confirmation)
    seed = search.space.scale("proxy").base.seed
    heading = f"The winner as a command (trains it once more, alone, on seed {seed}):"
    assert f"{heading}\n  python -m tuner.run --space made_up\n" in console.file.getvalue()
