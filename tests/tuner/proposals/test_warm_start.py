"""Which earlier results a search may start from, what they are called, and why others are left out."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

import search_spaces
from results.design import Design
from search_spaces import recorded
from search_spaces.width import WidthRules
from tests.one_file_a_trial import one_file_a_trial
from trainable.component_json import encode
from trainable.component_paths import with_values
from trainable.config import Budget
from tuner.proposals import warm_start
from tuner.proposals.warm_start import FIRST, Point, Prior
from tuner.search_loop import Search

DATA = "made-up-data"


@pytest.fixture(scope="module")
def golf():
    space = search_spaces.load("parameter_golf")
    base, rest = space.fixed(space.scale("proxy").base, {})
    return rest, base


def test_recorded_runs_become_points_and_every_other_row_has_a_reason(golf) -> None:
    space, base = golf
    prior = warm_start.load(["recorded"], space, base, "proxy", DATA)
    published = {run.id for run in recorded.load(space) if run.base is not None}
    names = [point.name for point in prior.points]
    assert sorted([*names, *prior.left_out]) == sorted(published)
    assert len(names) >= 60 and {"H1", "G1"} <= set(names)
    for point in prior.points:
        assert all(value in space.knob(path).domain for path, value in point.values.items())
        assert point.reference == 1.6117 and not point.same
    assert prior.left_out["3"].startswith("changing ") and f"left out {len(prior.left_out)}" in prior.about()


def test_the_line_about_a_prior_is_short_and_its_counts_come_to_all(golf) -> None:
    space, base = golf
    prior = warm_start.load(["recorded"], space, base, "proxy", DATA)
    said = prior.about()
    assert len(said) < 400, said
    assert said.startswith(f"{len(prior.points)} of recorded; left out {len(prior.left_out)}: ")
    reasons = said.partition(": ")[2]
    assert sum(map(int, re.findall(r"(?:^|, )(\d+) ", reasons))) == len(prior.left_out)
    for kind, knobs in re.findall(r"(\d+) [a-z ]+ \(([^)]*)\)", reasons):
        assert sum(map(int, re.findall(r" (\d+)(?:;|$)", knobs))) == int(kind), (
            "each row under its reason, and its knob"
        )
    assert "other reasons" not in reasons and " changing what is not searched (" in reasons
    assert Prior((), {"a": "crashed"}).about() == "nothing; left out 1: 1 crashed"


def test_the_best_recorded_configs_come_first_each_once(golf) -> None:
    space, base = golf
    prior = warm_start.load(["recorded"], space, base, "proxy", DATA)
    first = prior.first(space.values_of(base))
    assert len(first) == FIRST and all(first.count(values) == 1 for values in first)
    best = min(prior.points, key=lambda p: p.score)
    assert best.name == "H1" and first[0] == best.values


def test_what_is_fixed_for_the_campaign_is_fixed_in_the_prior_too(golf) -> None:
    whole = search_spaces.load("parameter_golf")
    base, space = whole.fixed(whole.scale("proxy").base, {"model.tie_embeddings": True})
    prior = warm_start.load(["recorded"], space, base, "proxy", DATA)
    assert "H1" in prior.left_out and "model.tie_embeddings" in prior.left_out["H1"]
    assert all("model.tie_embeddings" not in point.values for point in prior.points)


def test_a_prior_survives_json(golf) -> None:
    space, base = golf
    prior = warm_start.load(["recorded"], space, base, "proxy", DATA)
    assert warm_start.of_json(json.loads(json.dumps(prior.to_json()))).points == prior.points


def test_nothing_usable_is_an_error_that_says_why() -> None:
    space = search_spaces.load("speedrun")
    base, rest = space.fixed(space.scale("proxy").base, {})
    with pytest.raises(ValueError, match=r"--warm-start recorded: nothing .* without a recorded val_loss"):
        warm_start.load(["recorded"], rest, base, "proxy", DATA)


def test_an_earlier_campaign_counts_as_it_is_only_with_the_same_data_and_sizes(bench, make_bench, play) -> None:
    play(bench.search(trials=8, stopper="none")).run()
    done = {f"campaign:{r['number']}": r["val_bpb"] for r in bench.rows() if r["status"] == "completed"}
    same = warm_start.load([str(bench.folder)], bench.space, bench.base, "proxy", DATA)
    assert {point.name: point.score for point in same.points} == done and all(point.same for point in same.points)
    base_value = next(row["val_bpb"] for row in bench.rows() if row["is_base"])
    assert {point.reference for point in same.points} == {base_value}
    elsewhere = [
        replace(bench.base, budget=Budget(steps=480)),
        with_values(bench.base, {"model.model_dim": 64}),
        with_values(bench.base, {"evaluation.tokens": 128}),
        replace(bench.base, seed=bench.base.seed + 1),
    ]
    for base, data in ((bench.base, "other"), *((base, DATA) for base in elsewhere)):
        foreign = warm_start.load([str(bench.folder)], bench.space, base, "proxy", data)
        assert len(foreign.points) == len(done) and not any(point.same for point in foreign.points)


def test_a_confirmation_and_what_did_not_complete_are_left_out_by_name(bench, play) -> None:
    play(bench.search(trials=8, confirm=Design(1, 3, 3))).run()
    rows = bench.rows()
    prior = warm_start.load([str(bench.folder)], bench.space, bench.base, "proxy", DATA)
    assert len(prior.points) + len(prior.left_out) == len(rows)
    for row in rows:
        why = prior.left_out.get(f"campaign:{row['number']}")
        expected = None if row["status"] == "completed" else row["status"]
        assert why == ("of its confirmation" if row["stage"] == "confirm" else expected)
    assert {"of its confirmation", "stopped"} <= set(prior.left_out.values())
    base_value = next(row["val_bpb"] for row in rows if row["is_base"] and row["stage"] == "search")
    assert {point.reference for point in prior.points} == {base_value}


def test_a_run_of_another_optimizer_is_left_out_and_the_others_are_used(bench, play) -> None:
    play(bench.search(trials=2, stopper="none")).run()
    other = replace(search_spaces.load("nanochat").scale("proxy").base, budget=bench.base.budget)
    row = next(row for row in bench.rows() if row["status"] == "completed" and not row["is_base"])
    (one_file_a_trial(bench.folder) / "trials" / f"{row['key']}.parquet").unlink()
    bench.store().write_trial({**row, "key": other.key(row["data"]), "config": json.dumps(encode(other))})
    prior = warm_start.load([str(bench.folder)], bench.space, bench.base, "proxy", DATA)
    assert len(prior.points) == 1
    assert prior.left_out[f"campaign:{row['number']}"] == "of another kind of model or optimizer"


def test_a_folder_that_is_no_campaign_is_one_clear_line(golf, tmp_path) -> None:
    space, base = golf
    with pytest.raises(ValueError, match="is no campaign"):
        warm_start.load([str(tmp_path)], space, base, "proxy", DATA)


def test_sources_take_turns_and_what_does_not_beat_its_base_is_not_tried_first() -> None:
    points = [Point("a", str(i), {"x": i}, 1.0 + i / 10, 1.25) for i in range(5)]
    points += [Point("b", "9", {"x": 9}, 7.0, 8.0), Point("b", "10", {"x": 10}, 9.0, 8.0)]
    assert Prior(tuple(points)).first({"x": 1}) == [{"x": 0}, {"x": 9}, {"x": 2}]


def test_a_warm_search_asks_for_the_base_then_the_best_and_a_resume_asks_for_none_twice(
    bench, toy_space, result_of
) -> None:
    base = toy_space.values_of(bench.base)
    best = [base | {"optimizer.matrix_lr": rate} for rate in (0.1, 0.2)]
    prior = Prior(tuple(Point("a", str(i), values, 1.0 + i, 9.0) for i, values in enumerate(best)))

    def search() -> Search:
        return bench.search(6, 1, prior=prior)

    first, rates = search(), []
    for _ in range(2):
        key = first.next().key
        first.start(key)
        config = first.ledger.entries[key].config
        rates.append(config.optimizer.matrix_lr)
        result = result_of(config, config.budget.amount, 1.5, "completed")
        first.report(key, result)
        first.end(key, result)
    assert rates == [bench.base.optimizer.matrix_lr, 0.1]
    again = search()
    assert again.ledger.entries[again.next().key].config.optimizer.matrix_lr == 0.2


def test_rates_of_a_narrower_campaign_are_moved_to_the_width_here_by_the_rule(make_bench, toy_space, play) -> None:
    ruled = replace(toy_space, width_rules=WidthRules(exponents={"optimizer.matrix_lr": -1}))
    bench = make_bench(space=ruled)
    play(bench.search(trials=8, stopper="none")).run()
    rates = {f"campaign:{r['number']}": r["optimizer.matrix_lr"] for r in bench.rows() if r["status"] == "completed"}
    wider = with_values(bench.base, {"model.model_dim": 64})
    found = warm_start.load([str(bench.folder)], ruled, wider, "proxy", DATA)
    assert {p.name: p.values["optimizer.matrix_lr"] for p in found.points} == {
        name: pytest.approx(rate / 2) for name, rate in rates.items() if rate / 2 >= 0.01
    }
    assert {why for name, why in found.left_out.items() if name in rates} <= {
        "outside the range of a knob: optimizer.matrix_lr"
    }
    without = warm_start.load([str(bench.folder)], toy_space, wider, "proxy", DATA)
    assert {p.name: p.values["optimizer.matrix_lr"] for p in without.points} == rates
