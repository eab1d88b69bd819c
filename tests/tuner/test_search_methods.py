"""The method that proposes a search's configs: chosen, refused, kept, and gone on with."""

from __future__ import annotations

import optuna
import pytest

from tuner.proposals.model.gp_sampler import GaussianProcessSampler
from tuner.proposals.prior_sampler import PriorSampler
from tuner.proposals.sampler import Sampler
from tuner.proposals.warm_start import Point, Prior
from tuner.search_methods import BY_ITSELF, GP, METHODS, RANDOM, TPE, TPE_UNIFORM, chosen, described
from tuner.spec import CampaignSpec

KINDS = {
    GP: GaussianProcessSampler,
    TPE: optuna.samplers.TPESampler,
    TPE_UNIFORM: optuna.samplers.TPESampler,
    RANDOM: optuna.samplers.RandomSampler,
}


def test_a_method_that_is_named_is_taken_and_every_choice_can_be_described() -> None:
    for name in METHODS:
        method = chosen(name, 1, 30)
        assert method == name or name == BY_ITSELF
        assert method in KINDS and method in described(method)
    assert chosen(None, 1, 50) == chosen(BY_ITSELF, 1, 50) == chosen(BY_ITSELF, 1, 2_000) == GP
    assert chosen(None, 1, 49) == chosen(BY_ITSELF, 1, 2_001) == TPE_UNIFORM


def test_of_two_objectives_a_gaussian_process_is_refused_and_never_chosen() -> None:
    with pytest.raises(ValueError, match="--sampler gp minimises one objective, not 2: take tpe"):
        chosen(GP, 2, 30)
    assert chosen(BY_ITSELF, 2, 100) == TPE_UNIFORM and chosen(TPE, 2, 100) == TPE


@pytest.mark.parametrize("method", KINDS)
def test_the_study_proposes_by_the_method_also_after_a_prior(toy_space, toy_base, method) -> None:
    base = toy_space.values_of(toy_base)
    assert isinstance(Sampler(toy_space, base, seed=0, method=method).study.sampler, KINDS[method])
    prior = Prior((Point("earlier", "1", base, 1.0, 1.1),))
    found = Sampler(toy_space, base, seed=0, method=method, prior=prior).study.sampler
    if method == GP:  # whose model has it as its trend
        assert isinstance(found, GaussianProcessSampler) and found.points == prior.points
    else:
        assert isinstance(found, PriorSampler) and isinstance(found.make_inner(3), KINDS[method])


def test_a_campaign_from_before_there_were_several_goes_on_as_it_did_and_a_replay_has_none() -> None:
    kept = {"space": "toy", "objective": "val_loss", "trials": 3}
    assert CampaignSpec.of_json(kept).sampler == TPE_UNIFORM
    assert CampaignSpec.of_json({**kept, "sampler": RANDOM}).sampler == RANDOM
    replay = {"selections": ["all"], "reading": "as_run", "seeds": 1}
    spec = CampaignSpec.of_json({**kept, "replay": replay})
    assert spec.sampler is None and "sampler" not in spec.to_json()
