"""Changes without effect are named apart wherever a winner's changes are counted or listed."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from results import load
from results.design import Design
from results.ending import _which_matter
from results.inert_changes import inert_changes, without_effect
from results.page.data import page_data
from results.page.markdown import markdown
from results.questions.next_steps import next_steps
from results.questions.to_come import ablation_to_come
from results.report import print_leaderboard
from results.statistics.runs_to_come import AblationToCome
from terminal.console import Console
from tests.tuner.test_confirm import better
from tuner.campaign.record import ranges_of
from tuner.cli.search_times import _ablation
from tuner.python.campaign import Best

RATE = "optimizer.matrix_lr"
ONE = f" (1 of them without effect: {RATE})"


@pytest.fixture
def won(bench, play):
    """A search with a winner, of whose changes the audit has found the rate to have no effect."""
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    search.ledger.store.revise({"ranges": ranges_of(bench.space.knobs)})
    search.ledger.inert = [RATE]
    play(search, curve=better).run()
    return search


def printed(show, *given) -> str:
    console = Console(file=io.StringIO(), width=300)
    show(console, *given)
    return console.file.getvalue()


def test_a_number_of_changes_says_how_many_have_no_effect_and_names_the_first() -> None:
    assert without_effect([]) == "" and without_effect([RATE]) == ONE
    assert without_effect(list("abcde")) == " (5 of them without effect: a, b, c and 2 more)"
    assert inert_changes('["a"]') == ["a"] and inert_changes(None) == inert_changes(float("nan")) == []


def test_the_plan_of_an_ablation_says_it_too() -> None:
    come = AblationToCome(15, 30, trial=5, changes=3, inert=[RATE])
    left = SimpleNamespace(ablation=come, question=SimpleNamespace(space=SimpleNamespace(knobs=[])))
    times = SimpleNamespace(later=lambda *waves: [60.0, 120.0])
    assert _ablation(left, times, (5, 10)).endswith(f": the winner, trial 5, changes 3 knobs{ONE}")


def test_every_count_of_the_winners_changes_says_which_have_no_effect(won, monkeypatch) -> None:
    results, confirmation = load(won.folder), won.confirmation
    changes = confirmation.num_changes
    assert f"Which of its {changes} changes{ONE} matter?" in _which_matter(results, "9 runs")
    (why,) = (row["why"] for row in next_steps(results).to_dict("records") if row["step"] == "take apart")
    assert f"the winner changes {changes} knobs{ONE} at once" in why
    come = ablation_to_come(results, 3, 9, another=False)
    assert come.changes == changes and list(come.inert) == [RATE]


def test_the_tables_of_the_winners_changes_mark_those_without_effect(won) -> None:
    results = load(won.folder)
    data = page_data(results, won.folder)
    place = data["trials"]["number"].index(data["winner"]["trial"])
    assert [data["changes"]["paths"][path] for path in data["changes"]["inert"][place]] == [RATE]
    (marked,) = (line for line in markdown(data).splitlines() if "changes nothing here" in line)
    assert f"`{RATE}`" in marked
    (marked,) = (line for line in printed(print_leaderboard, results).splitlines() if "changes nothing here" in line)
    assert marked.split()[0] == RATE


def test_the_best_trial_in_python_counts_them_apart(won) -> None:
    results = load(won.folder)
    row = results.trials[results.trials["inert"] == f'["{RATE}"]'].iloc[0]
    best = Best(int(row["number"]), "val_bpb", 1.5, None, None, False, None, None, {}, row)
    assert repr(best).endswith(f" change{'s' * (row['overrides'].count(':') > 1)}{ONE}>")
