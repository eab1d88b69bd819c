"""A search proposes by the method that its spec names, from what its rows say."""

from __future__ import annotations

import optuna

from tuner.proposals.model.gp_sampler import GaussianProcessSampler
from tuner.proposals.model.observations import TOLD_SECONDS


def test_a_search_proposes_by_the_method_of_its_spec_also_when_it_is_resumed(bench, play, toy_curve) -> None:
    search = bench.search(trials=20, sampler="gp", slots=3)
    assert isinstance(search.proposals.sampler.study.sampler, GaussianProcessSampler)
    play(search, toy_curve).run()
    rows = bench.rows()
    assert len(rows) >= 20 and len({row["key"] for row in rows}) == len(rows)
    trials = search.proposals.sampler.study.get_trials(deepcopy=False)
    assert any(trial.user_attrs.get(TOLD_SECONDS, 0) > 0 for trial in trials), "what a trial cost is known to the model"
    resumed = bench.search(trials=24, sampler="gp", slots=3)
    assert isinstance(resumed.proposals.sampler.study.sampler, GaussianProcessSampler)
    play(resumed, toy_curve).run()
    assert len(bench.rows()) >= 24


def test_a_spec_that_names_none_is_of_a_campaign_from_before_and_goes_on_by_tpe(bench) -> None:
    sampler = bench.search().proposals.sampler
    assert isinstance(sampler.study.sampler, optuna.samplers.TPESampler) and sampler.near_base.wanted == 0
