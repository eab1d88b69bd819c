from __future__ import annotations

from collections import Counter

import pytest

from results.design import Design
from results.statistics.confirmation import rounds, standing
from results.store.campaign_folder import Store
from tests.tuner.ledger_without_ray import Book, best_at
from trainable.seeds import SEEDS
from tuner import confirm
from tuner.confirm import ROOM, first_fresh_seed

TWO = Design(2, 3, 3)
TEN = Design(10, 2, 2)
RATES = [0.1 + place / 100 for place in range(9)]  # of trials, the best one first


@pytest.fixture
def book(bench) -> Book:
    return Book(bench)


def arms_and_seeds(ended) -> Counter:
    return Counter((entry.row["arm"], entry.row["seed"]) for entry in ended)


def test_each_candidate_and_the_base_train_once_on_the_seeds_after_the_searchs_own(book) -> None:
    best, second, _ = book.rates(0.1, 0.2, 0.3)
    stages = book.stages(TWO)
    assert stages.best == [best, second] and not stages.over
    ended = book.train(stages, best_at(0.1))
    seed = book.bench.base.seed
    arms = (book.bench.base_key, best.key, second.key)
    assert arms_and_seeds(ended) == {(arm, seed + n): 1 for arm in arms for n in (1, 2, 3)}
    assert stages.over and stages.wanted() == [] and stages.num_wanted == 0
    assert [row["stage"] for row in stages._rows()].count("confirm") == 9


def test_fresh_seeds_begin_where_they_are_told_to(book) -> None:
    book.rates(0.1)
    ended = book.train(book.stages(TWO, first_seed=700), best_at(0.1))
    assert {entry.row["seed"] for entry in ended} == {700, 701, 702}


def test_a_run_says_what_it_is_of(book) -> None:
    (best,) = book.rates(0.1)
    ended = book.train(book.stages(TWO, first_seed=700), best_at(0.1), most=2)
    assert [entry.label for entry in ended] == ["the base on seed 700", f"trial {best.number} on seed 700"]
    assert [entry.row["undone"] for entry in ended] == [None, None]


def test_what_runs_is_not_handed_out_again_until_the_next_start(book) -> None:
    book.rates(0.1)
    stages = book.stages(TWO)
    offered = []
    while (entry := stages.next()) is not None:
        offered.append(entry)
    assert len(offered) == len({entry.key for entry in offered}) == 6 == stages.num_wanted and not stages.over
    again = book.stages(TWO)
    assert again.num_wanted == 0, "not worked out yet"
    assert again.next() is offered[0]


def test_what_is_wanted_is_worked_out_anew_when_a_run_has_ended_and_only_then(book) -> None:
    book.rates(0.1)
    stages = book.stages(TWO)
    first = stages.wanted()
    assert stages.wanted() is first and len(first) == stages.num_wanted == 6
    book.end(stages.next(), 1.0)
    assert len(stages.wanted()) == stages.num_wanted == 5 == len(stages.wanted())


def test_the_base_is_no_candidate_and_equal_values_go_by_key(book) -> None:
    book.searched(0.1)
    tried = [book.searched(1.0, matrix_lr=rate) for rate in (0.1, 0.2, 0.3)]
    assert book.stages(TWO).best == sorted(tried, key=lambda entry: entry.key)[:2]


def test_a_search_without_a_completed_trial_but_the_base_wants_nothing(book) -> None:
    book.searched(1.0)
    book.searched(None, matrix_lr=0.1)
    stages = book.stages(TWO)
    assert stages.round is None and stages.over and stages.found() is None
    assert not (stages.minimal or stages.ablated or stages.num_changes or stages.num_parts)


def test_a_base_whose_row_is_lost_trains_all_the_same(book) -> None:
    best = book.searched(1.0, matrix_lr=0.1)
    ended = book.train(book.stages(TWO), best_at(0.1))
    assert Counter(entry.row["arm"] for entry in ended) == {book.bench.base_key: 3, best.key: 3}
    assert all(entry.row["is_base"] == (entry.row["arm"] == book.bench.base_key) for entry in ended)


def test_fewer_trials_than_candidates_are_confirmed_among_themselves(book) -> None:
    (best,) = book.rates(0.1)
    book.train(book.stages(TWO), best_at(0.1))
    (found,) = rounds(book.stages(TWO)._rows())
    assert found.complete and found.design == Design(1, 3, 3) and found.judgement.winner.arm == best.key


@pytest.mark.parametrize("other", [Design(2, 2, 3), Design(2, 3, 4)])
def test_first_and_last_look_stay_as_they_were_and_candidates_may_change(book, other) -> None:
    book.rates(0.1, 0.2)
    book.train(book.stages(TWO), best_at(0.1))
    with pytest.raises(ValueError, match=f"--confirm {str(other).replace('.', '[.]')} cannot follow 2x3: "):
        book.stages(other)
    assert book.stages(Design(1, 3, 3)).over


def test_a_round_that_was_cut_off_before_all_had_started_goes_on(book) -> None:
    best, second = book.rates(0.1, 0.2)
    book.train(book.stages(TWO), best_at(0.1), most=2)
    again = book.stages(TWO)
    assert again.round.number == 0 and again.round.candidates == (best.key, second.key)
    assert len(again.round.runs) == again.round.started == 2
    assert len(book.train(again, best_at(0.1))) == 7 and len(rounds(again._rows())) == 1


def test_a_round_that_was_cut_off_is_left_when_others_are_the_best(book) -> None:
    book.rates(0.1, 0.2)
    book.train(book.stages(TWO), best_at(0.1), most=2)
    new = [book.searched(0.1, matrix_lr=0.11), book.searched(0.2, matrix_lr=0.12)]
    found = book.stages(TWO).round
    assert found.number == 1 and found.candidates == (new[0].key, new[1].key)


def test_a_round_of_fewer_candidates_that_was_cut_off_is_no_part_of_one_of_more(book) -> None:
    book.rates(0.1, 0.2)
    book.train(book.stages(Design(3, 3, 3)), best_at(0.1), most=2)
    third = book.searched(5.0, matrix_lr=0.3)
    found = book.stages(Design(3, 3, 3)).round
    assert found.number == 1 and third.key in found.candidates and not found.runs
    assert found.design == Design(3, 3, 3)


def test_a_second_round_has_seeds_and_candidates_of_its_own_and_the_winner_among_them(book) -> None:
    won, other = book.rates(0.1, 0.2)
    book.train(book.stages(TWO), best_at(0.1))
    new = [book.searched(0.1, matrix_lr=0.25), book.searched(0.2, matrix_lr=0.26)]
    stages = book.stages(TWO)
    assert stages.round.number == 1 and stages.round.candidates == (new[0].key, new[1].key, won.key)
    assert stages.round.seeds == tuple(book.bench.base.seed + 61 + n for n in range(3)), "60 are the first round's"
    ended = book.train(stages, best_at(0.1))
    assert other.key not in {entry.row["arm"] for entry in ended} and len(ended) == 12
    assert book.stages(TWO).over and len(rounds(stages._rows())) == 2
    assert standing(rounds(stages._rows())).number == 1 and stages.found() == won.config


def test_a_winner_among_the_best_or_whose_row_is_lost_takes_no_place(book) -> None:
    won, _ = book.rates(0.1, 0.2)
    book.train(book.stages(TWO), best_at(0.1))
    new = book.searched(0.1, matrix_lr=0.25)
    assert book.stages(TWO).round.candidates == (new.key, won.key)
    newer = book.searched(0.2, matrix_lr=0.26)
    assert book.stages(TWO).round.candidates == (new.key, newer.key, won.key)
    del book.ledger.entries[won.key]
    assert book.stages(TWO).round.candidates == (new.key, newer.key) and book.stages(TWO).found() is None


def test_a_round_is_repeated_without_a_candidate_whose_row_is_lost(book) -> None:
    _, lost, third = book.rates(0.1, 0.2, 0.3)
    book.train(book.stages(TWO), best_at(0.1))
    del book.ledger.entries[lost.key]
    found = book.stages(TWO).round
    assert found.number == 1 and third.key in found.candidates and lost.key not in found.candidates


def test_a_round_is_repeated_with_the_candidate_that_is_left_of_two(book) -> None:
    left, lost = book.rates(0.1, 0.2)
    book.train(book.stages(TWO), best_at(0.2))
    del book.ledger.entries[lost.key]
    found = book.stages(TWO).round
    assert found.number == 1 and found.candidates == (left.key,)


@pytest.mark.parametrize("best_rate", [0.1, 0.2])  # then the winner stands, or one of the new ones is the next
def test_ten_candidates_are_nine_and_the_winner_and_the_tenth_is_not_asked_for_again(book, best_rate) -> None:
    won, *_ = book.rates(*RATES, 0.19)
    book.train(book.stages(TEN), best_at(0.1))
    new = [book.searched(0.1 + place / 100, matrix_lr=0.2 + place / 100) for place in range(10)]
    stages = book.stages(TEN)
    assert stages.round.candidates == (*(entry.key for entry in new[:9]), won.key)
    book.train(stages, best_at(best_rate))
    winner = won if best_rate == 0.1 else new[0]
    assert book.stages(TEN).over and len(rounds(stages._rows())) == 2 and stages.found() == winner.config
    ninth = book.searched(0.175, matrix_lr=0.3)  # the ninth place is between the eighth and the ninth new one
    assert book.stages(TEN).best[8] == ninth and book.stages(TEN).round.number == 2


def test_a_tenth_trial_is_confirmed_where_nine_were_all_that_there_was(book) -> None:
    book.rates(*RATES)
    book.train(book.stages(TEN), best_at(0.1))
    tenth = book.searched(5.0, matrix_lr=0.29)
    found = book.stages(TEN).round
    assert found.number == 1 and len(found.candidates) == 10 and tenth.key in found.candidates


def test_seeds_are_fresh_after_all_that_earlier_campaigns_trained_on_or_began_with(make_bench) -> None:
    earlier = make_bench("earlier")
    book = Book(earlier)
    for seed, rate in ((50, 0.1), (20, 0.2)):
        entry = book.searched(1.0, matrix_lr=rate)
        entry.row["seed"] = seed
        earlier.store().write_trial(entry.row)
    assert first_fresh_seed(7, [earlier.folder]) == 51 and first_fresh_seed(90, [earlier.folder]) == 91
    later = make_bench("later").folder
    campaign = {"space": "toy", "scale": "proxy", "objective": "val_bpb", "fresh_seed": 1000}
    Store.create(later, campaign, earlier.space.column_types())
    assert first_fresh_seed(7, [later, earlier.folder]) == 1000, "nothing was trained there yet"


def test_seeds_that_are_drawn_leave_room_for_every_round_below_the_largest(monkeypatch) -> None:
    monkeypatch.setattr(confirm, "SEEDS", ROOM + 10)
    assert all(0 <= first_fresh_seed(ROOM + 10 - n, []) < 10 for n in range(1, 9))


def test_sixty_thousand_seeds_are_kept_free_for_rounds() -> None:
    assert first_fresh_seed(SEEDS - 60_001, []) == SEEDS - 60_000
    assert first_fresh_seed(SEEDS - 60_000, []) < SEEDS - 60_000
