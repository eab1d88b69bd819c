from __future__ import annotations

import math
from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState

import search_spaces
from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.likely import with_likely
from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.sampler import LIKELY_TRIALS, Sampler, distribution, likely_point


@pytest.fixture
def base_values(toy_space, toy_base):
    return toy_space.values_of(toy_base)


def asked(sampler: Sampler, count: int) -> list[dict]:
    """Suggestions one after the other, each told a made-up value."""
    found = []
    for _ in range(count):
        suggestion = sampler.ask()
        found.append(suggestion.values)
        sampler.tell(suggestion.number, "completed", float(len(found)))
    return found


def test_the_first_suggestion_is_exactly_the_base(toy_space, base_values) -> None:
    suggestion = Sampler(toy_space, base_values, seed=0).ask()
    assert suggestion.values == base_values
    assert [type(v) for v in suggestion.values.values()] == [type(v) for v in base_values.values()]


def test_suggestions_lie_in_their_domains_and_inactive_knobs_are_not_sampled(toy_space, base_values) -> None:
    schedules = set()
    for values in asked(Sampler(toy_space, base_values, seed=1), 30):
        schedules.add(values["schedule"])
        assert ("schedule.warmup_frac" in values) == (values["schedule"] == "Tidal")
        assert all(value in toy_space.knob(path).domain for path, value in values.items())
    assert schedules == {"Cosine", "Tidal", "Constant"}


def test_a_seed_decides_the_suggestions(toy_space, base_values) -> None:
    first = asked(Sampler(toy_space, base_values, seed=5), 14)
    assert asked(Sampler(toy_space, base_values, seed=5), 14) == first
    assert all(values not in first for values in asked(Sampler(toy_space, base_values, seed=6), 14)[1:])


def test_a_resumed_sampler_does_not_repeat_its_first_draws(toy_space, base_values) -> None:
    first = asked(Sampler(toy_space, base_values, seed=5), 6)
    earlier = [TrialEnd(values, "completed", 1.0) for values in first]
    assert all(values not in first for values in asked(Sampler(toy_space, base_values, seed=5, earlier=earlier), 6))


def test_draws_stay_in_the_expert_ranges_and_differ_by_seed() -> None:
    space = with_likely(
        search_spaces.load("parameter_golf"),
        ["optimizer.matrix_lr=0.02..0.1", "model.encoder_layers=1..2", "schedule=Tidal|Cosine"],
    )
    drawn = [likely_point(space, seed) for seed in range(200)]
    assert likely_point(space, 7) == drawn[7] and len({d["optimizer.matrix_lr"] for d in drawn}) == 200
    for knob in space.knobs:
        if knob.likely is None:
            assert all(knob.path not in values for values in drawn)
        else:
            assert all(values[knob.path] in knob.likely and values[knob.path] in knob.domain for values in drawn)
    assert {values["schedule"] for values in drawn} == {"Tidal", "Cosine"}
    assert {values["model.encoder_layers"] for values in drawn} == {1, 2}
    below = sum(values["optimizer.matrix_lr"] < (0.02 * 0.1) ** 0.5 for values in drawn)
    assert 70 < below < 130  # uniform in the logarithm


def test_the_first_points_lie_in_the_expert_ranges_and_later_ones_anywhere(toy_space, base_values) -> None:
    path = next(knob.path for knob in toy_space.knobs if isinstance(knob.domain, LogUniform))
    domain = toy_space.knob(path).domain
    likely = LogUniform(domain.low, domain.low * (domain.high / domain.low) ** 0.05)
    knobs = tuple(replace(k, likely=likely) if k.path == path else k for k in toy_space.knobs)
    expert = replace(toy_space, knobs=knobs)
    first = asked(Sampler(expert, base_values, seed=5), LIKELY_TRIALS)
    assert first[0] == base_values and all(values[path] in likely for values in first[1:])
    assert len({values[path] for values in first[1:]}) == LIKELY_TRIALS - 1
    earlier = [TrialEnd(values, "completed", float(i)) for i, values in enumerate(first)]
    later = asked(Sampler(expert, base_values, seed=5, earlier=earlier), 12)
    assert any(values[path] not in likely for values in later)
    half = Sampler(expert, base_values, seed=5, earlier=earlier[:5])  # a resume draws only what is left of them
    rest = asked(half, LIKELY_TRIALS - 5)
    assert all(values[path] in likely and values not in first for values in rest)


@pytest.mark.parametrize(
    ("status", "value", "state"),
    [
        ("completed", 1.5, TrialState.COMPLETE),
        ("completed", math.nan, TrialState.FAIL),
        ("completed", math.inf, TrialState.FAIL),
        ("completed", None, TrialState.FAIL),
        ("stopped", None, TrialState.PRUNED),
        ("infeasible", None, TrialState.PRUNED),
        ("diverged", math.nan, TrialState.PRUNED),
        ("out of memory", None, TrialState.PRUNED),
        ("plateaued", None, TrialState.PRUNED),
        ("crashed", None, TrialState.FAIL),
        ("interrupted", None, TrialState.FAIL),
        ("running", None, TrialState.FAIL),
    ],
)
def test_a_trial_is_told_and_rebuilt_in_one_and_the_same_state(toy_space, base_values, status, value, state) -> None:
    live = Sampler(toy_space, base_values, seed=0)
    live.tell(live.ask().number, status, value)
    rebuilt = Sampler(toy_space, base_values, seed=0, earlier=[TrialEnd(base_values, status, value)])
    for sampler in (live, rebuilt):
        (trial,) = sampler.study.get_trials()
        assert trial.state == state and trial.params == base_values
        assert trial.value == (value if state == TrialState.COMPLETE else None)


def test_intermediate_values_reach_the_study_and_those_that_are_not_finite_do_not(toy_space, base_values) -> None:
    sampler = Sampler(toy_space, base_values, seed=0)
    number = sampler.ask().number
    for milestone, value in {27: 2.0, 80: math.nan, 120: math.inf}.items():
        sampler.report(number, milestone, value)
    sampler.tell(number, "stopped", None)
    assert sampler.study.get_trials()[0].intermediate_values == {27: 2.0}
    earlier = [TrialEnd(base_values, "stopped", None, {27: 2.0, 80: math.nan})]
    rebuilt = Sampler(toy_space, base_values, seed=0, earlier=earlier)
    assert rebuilt.study.get_trials()[0].intermediate_values == {27: 2.0}


def test_of_units_that_have_fractions_the_study_sees_millionths(toy_space, base_values) -> None:
    sampler = Sampler(toy_space, base_values, seed=0, unit="epochs")
    number = sampler.ask().number
    for milestone, value in {0.005557: 2.0, 0.01667: 1.5}.items():
        sampler.report(number, milestone, value)
    sampler.tell(number, "stopped", None)
    earlier = [TrialEnd(base_values, "stopped", None, {0.005557: 2.0, 0.01667: 1.5})]
    rebuilt = Sampler(toy_space, base_values, seed=0, earlier=earlier, unit="epochs")
    for study in (sampler.study, rebuilt.study):
        assert study.get_trials()[0].intermediate_values == {5557: 2.0, 16670: 1.5}


def test_closing_leaves_nothing_running(toy_space, base_values) -> None:
    sampler = Sampler(toy_space, base_values, seed=0)
    for _ in range(3):
        sampler.ask()
    sampler.close()
    assert [trial.state for trial in sampler.study.get_trials()] == [TrialState.FAIL] * 3


def test_the_sampler_learns_to_keep_away_from_what_makes_no_valid_run(toy_space, base_values) -> None:
    sampler = Sampler(toy_space, base_values, seed=0)
    valid = 0
    for number in range(40):
        suggestion = sampler.ask()
        good = suggestion.values["model.encoder_layers"] <= 3
        valid += good and number >= 20
        sampler.tell(suggestion.number, "completed" if good else "infeasible", 2.0 if good else None)
    assert valid >= 15, "of the last 20"


@pytest.mark.parametrize("status", ["diverged", "out of memory", "plateaued"])
def test_the_sampler_learns_to_keep_away_from_where_trials_cannot_be_trained(toy_space, base_values, status) -> None:
    def in_region(told: str, seed: int) -> int:
        """How many of the last 30 suggestions lie in a region whose trials end with ``told``, late and seeming good."""
        sampler, found = Sampler(toy_space, base_values, seed), 0
        for number in range(45):
            asked = sampler.ask()
            rate = float(asked.values["optimizer.matrix_lr"])
            fails = rate > 0.06  # half of the range; values fall towards it
            found += fails and number >= 15
            if fails:
                sampler.report(asked.number, 200, 0.5)
            sampler.tell(asked.number, told if fails else "completed", None if fails else 2.0 - rate)
        return found

    silent = sum(in_region("crashed", seed) for seed in range(3))
    assert sum(in_region(status, seed) for seed in range(3)) < 0.7 * silent


def test_a_trial_that_cannot_be_trained_ranks_below_every_other_also_after_a_resume(toy_space, base_values) -> None:
    live = Sampler(toy_space, base_values, seed=0)
    live.tell(live.ask().number, "diverged", None)
    rebuilt = Sampler(toy_space, base_values, seed=0, earlier=[TrialEnd(base_values, "diverged", None)])
    for sampler in (live, rebuilt):
        assert sampler.study.get_trials()[0].constraints == {"trains": 1.0}


def test_the_journal_is_one_that_optuna_opens_and_an_old_one_is_moved_aside(toy_space, base_values, tmp_path) -> None:
    journal = tmp_path / "optuna.journal"
    asked(Sampler(toy_space, base_values, 0, journal), 3)
    written = journal.read_bytes()
    asked(Sampler(toy_space, base_values, 0, journal), 1)
    assert (tmp_path / "optuna.journal.before").read_bytes() == written
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    assert len(optuna.load_study(study_name="toy", storage=storage).trials) == 1


def test_the_lock_that_a_killed_driver_left_on_the_journal_holds_nobody_up(
    toy_space, base_values, tmp_path, monkeypatch
) -> None:
    def waiting(seconds: float) -> None:
        raise AssertionError("Optuna waits half a minute for such a lock")

    journal = tmp_path / "optuna.journal"
    (tmp_path / "optuna.journal.lock").symlink_to(journal)
    monkeypatch.setattr("time.sleep", waiting)
    assert Sampler(toy_space, base_values, 0, journal).ask().values == base_values


@pytest.mark.parametrize("domain", [Uniform(0.0, 1.0), LogUniform(0.1, 1.0), Integer(0, 9), Choice(None, 0.3, 1.0)])
def test_a_domain_and_its_distribution_hold_the_same_values(domain) -> None:
    found = distribution(domain)
    labels = domain.labels if isinstance(domain, Choice) else (domain.low, domain.high)
    for value in labels:
        internal = found.to_internal_repr(value)
        assert found._contains(internal) and found.to_external_repr(internal) == value
    if not isinstance(domain, Choice):
        assert not found._contains(domain.low - 1) and not found._contains(domain.high + 1)


def test_trials_have_their_ranges_in_common(toy_space, base_values, tmp_path) -> None:
    first = Sampler(toy_space, base_values, 3, tmp_path / "first")
    earlier = [TrialEnd(values, "completed", 1.0) for values in asked(first, 5)]
    again = Sampler(toy_space, base_values, 3, tmp_path / "again", earlier=earlier)
    asked(again, 3)
    for study in (first.study, again.study):
        ended = [t for t in study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
        known = {(path, id(own)) for trial in ended for path, own in trial.distributions.items()}
        assert len(ended) >= 5 and len(known) == len({path for path, _ in known})
        assert all(
            own == distribution(toy_space.knob(path).domain) for t in ended for path, own in t.distributions.items()
        )
