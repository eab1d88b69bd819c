from __future__ import annotations

import json
import zlib
from collections import Counter
from dataclasses import replace

import pytest

import results
from results.design import Design
from results.statistics.confirmation import rounds, standing
from results.verdicts import verdict_lines
from tests.one_file_a_trial import one_file_a_trial
from tests.tuner.conftest import DATA
from trainable.component_paths import with_values
from tuner.confirm import ROUND_SEEDS, units, with_base_values

DESIGN = Design(2, 3, 5)


def better(config, milestone: float) -> float:
    """A rate of 0.1 is best by far; every run has a little noise of its own, and every seed one for all configs."""
    own = zlib.crc32(config.key("").encode()) / 2**32 / 1000
    rate = abs(config.optimizer.matrix_lr - 0.1)
    return 1.5 + rate + 10 / (10 + milestone) + own + config.seed % 7 / 10


def inert(config, milestone: float, draw: str = "") -> float:
    """Nothing matters but chance; each ``draw`` is another one."""
    return 1.5 + 10 / (10 + milestone) + zlib.crc32(config.key(draw).encode()) / 2**32 / 100


def after(bench) -> list[dict]:
    return [row for row in bench.rows() if row["stage"] != "search"]


def searched(bench) -> list[dict]:
    return [row for row in bench.rows() if row["stage"] == "search"]


def test_the_best_and_the_base_train_on_the_same_fresh_seeds_at_full_budget(bench, play) -> None:
    search = bench.search(trials=6, confirm=DESIGN)
    tune = play(search, curve=better).run()
    rows = after(bench)
    done = sorted((r for r in searched(bench) if r["status"] == "completed"), key=lambda r: r["value"])
    best = [row["key"] for row in done if not row["is_base"]][:2]
    assert {row["arm"] for row in rows} == {bench.base_key, *best}
    assert Counter(row["arm"] for row in rows)[bench.base_key] >= 3
    seeds = {arm: {r["seed"] for r in rows if r["arm"] == arm} for arm in (bench.base_key, *best)}
    assert seeds[best[0]] <= seeds[bench.base_key] and bench.base.seed not in seeds[bench.base_key]
    assert all(row["status"] == "completed" and row["spent"] == 240 and row["stage"] == "confirm" for row in rows)
    assert all(row["is_base"] == (row["arm"] == bench.base_key) for row in rows)
    assert search.exhausted and not search.stopping and len(tune.started) == len(set(tune.started))


def test_runs_after_the_search_are_no_trials_and_are_not_told_to_the_sampler(bench, play) -> None:
    search = bench.search(trials=6, confirm=DESIGN)
    play(search, curve=better).run()
    assert search.num_started == 6 == sum(row["status"] != "infeasible" for row in searched(bench))
    assert len(search.proposals.sampler.study.trials) == len(searched(bench))
    again = bench.search(trials=6, confirm=DESIGN)
    assert again.exhausted and again.num_started == 6
    assert len(again.proposals.sampler.study.trials) == len(searched(bench))
    rung = search.stopper.milestones[0]
    assert 0 < again.stopper.reached(rung) == search.stopper.reached(rung) <= 6


def test_a_campaign_without_confirm_ends_with_its_search(bench, play) -> None:
    play(bench.search(trials=6), curve=better).run()
    assert after(bench) == []


def test_a_large_effect_is_established_after_the_first_seeds(bench, play) -> None:
    search = bench.search(trials=9, confirm=DESIGN)
    play(search, curve=better).run()
    (found,) = rounds(bench.rows())
    winner = found.judgement.winner
    assert winner is not None and winner.pairs == 3 and winner.difference < 0
    value = search.ledger.entries[winner.arm].row["value"]
    assert value < search.ledger.base_value()


def test_a_confirmation_that_is_cut_off_goes_on_and_runs_nothing_twice(bench, play) -> None:
    whole_tune = play(bench.search(trials=6, confirm=DESIGN), curve=better, seed=3).run()
    expected = {(row["key"], row["value"]) for row in bench.rows()}
    for cut in (30, 36, 40):
        other = type(bench)(bench.folder.with_name(f"cut-{cut}"), bench.space, bench.base)
        first = play(other.search(trials=6, confirm=DESIGN), curve=better, seed=3).run(steps=cut)
        first.search.stop("cut off")
        first.run()
        first.search.abandon()
        second = play(other.search(trials=6, confirm=DESIGN), curve=better, seed=3).run()
        assert {(row["key"], row["value"]) for row in other.rows()} == expected
        finished = {row["key"] for row in other.rows() if row["attempt"] == 1}
        assert not finished & set(second.started) & set(first.ended) - set(first.running)
    assert whole_tune.search.exhausted


def test_a_killed_driver_leaves_runs_that_the_next_start_takes_up(bench, play) -> None:
    tune = play(bench.search(trials=6, confirm=DESIGN), curve=better)
    while not any(tune.search.ledger.entries[key].stage == "confirm" for key in tune.running):
        tune.step()
    assert any(row["status"] == "running" and row["stage"] == "confirm" for row in bench.rows())
    play(bench.search(trials=6, confirm=DESIGN), curve=better).run()
    assert all(row["status"] != "running" for row in bench.rows())
    assert rounds(bench.rows())[-1].judgement.over


def test_a_search_that_went_on_is_confirmed_anew_on_other_seeds(bench, play) -> None:
    play(bench.search(trials=4, confirm=DESIGN), curve=better).run()
    seeds = {row["seed"] for row in after(bench)}
    play(bench.search(trials=14, confirm=DESIGN), curve=better).run()
    first, second = rounds(bench.rows())
    assert set(first.seeds) == seeds and not seeds & set(second.seeds)
    assert set(first.candidates) != set(second.candidates) and second.judgement.over


def test_a_winner_takes_part_again_when_a_search_goes_on_and_stands_if_no_other_is_established(bench, play) -> None:
    lucky, design = set(), Design(1, 3, 3)

    def curve(config, milestone):
        luck = 5.0 if config.seed == bench.base.seed else -1.0
        return better(config, milestone) - (luck if config.optimizer.matrix_lr in lucky else 0.0)

    play(bench.search(trials=8, confirm=design), curve=curve).run()
    (first,) = rounds(bench.rows())
    winner = first.judgement.winner
    assert winner is not None
    search = bench.search(trials=14, confirm=design)
    tune = play(search, curve=curve)
    while len(fresh := [e for e in search.live.values() if e.stage == "search" and not e.milestones]) < 2:
        assert tune.step()
    lucky |= {entry.config.optimizer.matrix_lr for entry in fresh}
    tune.run()
    _, second = rounds(bench.rows())
    assert winner.arm in second.candidates and len(second.candidates) == 2 == second.design.candidates
    assert search.exhausted and second.judgement.over
    assert second.judgement.winner is not None and second.judgement.winner.arm == winner.arm
    assert search.confirmation.found() == search.ledger.entries[winner.arm].config
    assert bench.search(trials=14, confirm=design).exhausted, "no third round"


def test_a_later_round_without_a_winner_leaves_the_earlier_one_standing(bench, play) -> None:
    play(bench.search(trials=8, confirm=DESIGN), curve=better).run()
    won = rounds(bench.rows())[0].judgement.winner
    assert won is not None
    search = bench.search(trials=20, confirm=DESIGN)
    play(search, curve=lambda config, milestone: inert(config, milestone, "B")).run()
    found = rounds(bench.rows())
    assert len(found) == 2 and found[1].judgement.winner is None and won.arm in found[1].candidates
    assert standing(found) == found[0]
    assert search.confirmation.found() == search.ledger.entries[won.arm].config
    number = search.ledger.entries[won.arm].number
    lines = verdict_lines(results.load(bench.folder))
    assert any(f"The winner of confirmation 1 of 2 stands: trial {number}, -" in line for line in lines)


def test_a_candidate_whose_row_is_lost_is_no_candidate_any_more(bench, play) -> None:
    first = play(bench.search(trials=6, confirm=DESIGN), curve=better)
    while not any(row["status"] == "completed" and row["arm"] != bench.base_key for row in after(bench)):
        assert first.step()
    lost = next(row["arm"] for row in after(bench) if row["arm"] != bench.base_key)
    (one_file_a_trial(bench.folder) / "trials" / f"{lost}.parquet").unlink()
    search = bench.search(trials=6, confirm=DESIGN)
    play(search, curve=better).run()
    assert search.exhausted and rounds(bench.rows())[-1].judgement.over
    assert not search.confirmation.wanted()


def test_a_design_cannot_change_once_its_results_are_known(bench, play) -> None:
    play(bench.search(trials=4, confirm=DESIGN), curve=better).run()
    with pytest.raises(ValueError, match=r"--confirm 2x3 cannot follow 2x3\.\.5"):
        bench.search(trials=4, confirm=Design(2, 3, 3))


def test_a_candidate_that_diverges_on_every_fresh_seed_is_out(bench, play) -> None:
    def curve(config, milestone):
        sick = config.seed != bench.base.seed and config.optimizer.matrix_lr != bench.base.optimizer.matrix_lr
        return float("nan") if sick else better(config, milestone)

    play(bench.search(trials=6, confirm=DESIGN), curve=curve).run()
    judgement = rounds(bench.rows())[-1].judgement
    assert judgement.winner is None and judgement.over
    assert all("diverged on all" in verdict.reason for verdict in judgement.verdicts.values())


def test_the_end_of_the_hours_ends_a_confirmation_too(bench, play) -> None:
    search = bench.search(trials=6, hours=1, confirm=DESIGN)
    tune = play(search, curve=better)
    while not any(search.ledger.entries[key].stage == "confirm" for key in tune.ended):
        tune.step()
    bench.now = 4000.0
    tune.run()
    assert search.stopping == "the 1 hours are over" and not rounds(bench.rows())[-1].judgement.over


def test_the_winner_is_taken_apart_and_what_is_left_stands(bench, play) -> None:
    search = bench.search(trials=9, seed=2, confirm=DESIGN, ablate=True)
    play(search, curve=better).run()
    rows = [row for row in bench.rows() if row["stage"] == "ablate"]
    won = search.confirmation._won()
    assert won is not None
    _, winner, known = won
    assert "optimizer.matrix_lr" in known.changes and len(known.changes) > 1
    assert known.decision.kept == ("optimizer.matrix_lr",)
    assert known.stands and search.confirmation.minimal
    config = search.confirmation.found()
    assert config == with_values(bench.base, {"optimizer.matrix_lr": winner.values["optimizer.matrix_lr"]})
    confirmed = {row["seed"] for row in after(bench) if row["stage"] == "confirm"}
    assert {row["seed"] for row in rows} - confirmed, "what is left is tried on seeds of its own"
    assert all(set(json.loads(row["undone"])["undone"]) <= set(known.changes) for row in rows)
    assert bench.search(trials=9, seed=2, confirm=DESIGN, ablate=True).exhausted


def test_an_ablation_can_be_asked_for_later(bench, play) -> None:
    play(bench.search(trials=9, seed=2, confirm=DESIGN), curve=better).run()
    search = bench.search(trials=9, seed=2, confirm=DESIGN, ablate=True)
    assert not search.exhausted
    play(search, curve=better).run()
    assert search.confirmation.minimal and search.confirmation.ablated


def test_a_change_that_goes_with_another_is_undone_with_it(bench) -> None:
    ledger = bench.search().ledger
    values = ledger.base_values | {"schedule": "Tidal", "schedule.warmup_frac": 0.3, "optimizer.matrix_lr": 0.1}
    assert units(ledger, values) == ("schedule", "optimizer.matrix_lr")
    assert with_base_values(ledger, values, ("schedule",)) == ledger.base_values | {"optimizer.matrix_lr": 0.1}
    assert with_base_values(ledger, values, units(ledger, values)) == ledger.base_values
    assert with_base_values(ledger, values, ()) == values


def test_a_fresh_seed_makes_another_key_and_the_same_arm(bench, play) -> None:
    play(bench.search(trials=6, confirm=DESIGN), curve=inert).run()
    for row in after(bench):
        entry = bench.search(trials=6, confirm=DESIGN).ledger.entries[row["key"]]
        assert row["key"] != row["arm"] == replace(entry.config, seed=bench.base.seed).key(DATA)
        break


def test_no_round_trains_on_seeds_that_another_one_or_its_ablation_has_trained_on(bench, play) -> None:
    play(bench.search(trials=9, seed=2, confirm=DESIGN, ablate=True), curve=better).run()
    confirmed = {row["seed"] for row in after(bench) if row["stage"] == "confirm"}
    assert {row["seed"] for row in after(bench)} - confirmed, "what is left of the winner was tried on seeds of its own"
    play(bench.search(trials=16, seed=2, confirm=DESIGN, ablate=True), curve=better).run()
    assert [found.judgement.over for found in rounds(bench.rows())] == [True, True]
    first, second = ({row["seed"] for row in after(bench) if row["round"] == number} for number in (0, 1))
    assert not first & second and max(first) < min(second) == bench.base.seed + 1 + ROUND_SEEDS
