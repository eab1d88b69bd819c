from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from trainable.config import TrainConfig
from trainable.data.dataset import DataConfig
from trainable.models.gpt import GPT
from trainable.models.nanochat import Nanochat
from trainable.optimizers.muon import Muon
from trainable.optimizers.muon_adamw import MuonAdamW
from trainable.optimizers.normuon import NorMuon
from trainable.scaling import trapezoid
from trainable.schedules import Cosine

D22 = TrainConfig(
    model=Nanochat(),
    optimizer=MuonAdamW(wd_reference=110_100_912),
    schedule=trapezoid(6517, warmdown_frac=0.85),
    data=DataConfig(vocab_size=32768, seq_len=2048, batch_tokens=2**20, grad_accum_steps=4),
)


def groups_of(config: TrainConfig):
    with torch.device("meta"):
        network = config.model.build(config.data.vocab_size, config.data.seq_len)
    groups = config.optimizer.groups_for(network, config.data.batch_tokens, config.schedule)
    return {group.name: group for group in groups}


def test_every_row_of_the_table_is_scaled_by_width_and_batch():
    w, b = math.sqrt(768 / 1408), math.sqrt(2)
    expected = {  # rate, betas, weight decay
        "head": (0.008 * w * b, 0.8, 0.96, 0.01),
        "embedding": (0.3 * w * b, 0.8, 0.995, 0.001),
        "value_embedding": (0.5 * 0.3 * w * b, 0.8, 0.995, 0.01),
        "resid_lambda": (0.01 * 0.5 * b, 0.8, 0.95, 0.05),
        "x0_lambda": (0.5 * b, 0.96, 0.95, 0.0),
        "smear": (0.2, 0.8, 0.95, 0.0),
    }
    found = groups_of(D22)
    assert found.keys() == expected.keys() | {"matrix"}
    for name, (lr, beta1, beta2, weight_decay) in expected.items():
        rule = found[name].rule
        assert found[name].lr == pytest.approx(lr), name
        assert (rule.beta1, rule.beta2, rule.weight_decay, rule.eps) == (beta1, beta2, weight_decay, 1e-10), name
    assert found["matrix"].lr == pytest.approx(0.02 * b)


def test_gains_of_another_model_move_as_residual_lambdas_do_and_never_decay():
    rule = (group := groups_of(replace(D22, model=GPT()))["scalar"]).rule
    assert group.lr == pytest.approx(0.01 * 0.5 * math.sqrt(2))
    assert (rule.beta1, rule.beta2, rule.weight_decay, rule.eps) == (0.8, 0.95, 0.0, 1e-10)


@pytest.mark.parametrize(("depth", "decay"), [(22, 0.0766), (24, 0.0597)])
def test_weight_decay_of_the_matrices_is_the_recorded_one(depth, decay):
    rule = groups_of(replace(D22, model=Nanochat(num_layers=depth)))["matrix"].rule
    assert round(rule.weight_decay, 4) == decay


def test_the_momentum_falls_with_the_warm_down_of_the_schedule():
    assert groups_of(D22)["matrix"].rule.momentum_warmdown_frac == pytest.approx(5539 / 6517, abs=1e-12)
    assert groups_of(replace(D22, schedule=Cosine()))["matrix"].rule.momentum_warmdown_frac is None
    own = MuonAdamW(muon=NorMuon(momentum_warmdown_frac=0.3))
    assert groups_of(replace(D22, optimizer=own))["matrix"].rule.momentum_warmdown_frac == 0.3


def test_the_batch_of_the_run_sets_the_rates_and_no_reference_leaves_them():
    half = replace(D22, data=replace(D22.data, batch_tokens=2**19))
    assert groups_of(half)["matrix"].lr == pytest.approx(0.02)
    bare = replace(D22, optimizer=MuonAdamW(width_reference=None, batch_reference=None))
    found = groups_of(bare)
    assert (found["embedding"].lr, found["matrix"].lr, found["matrix"].rule.weight_decay) == (0.3, 0.02, 0.28)


def test_groups_without_a_run_are_those_at_the_batch_of_the_reference_as_the_rule_stands():
    network = Nanochat.example().build(260, 16)
    alone = {g.name: (g.lr, len(g.parameters)) for g in MuonAdamW().groups(network)}
    assert alone == {g.name: (g.lr, len(g.parameters)) for g in MuonAdamW().groups_for(network, 2**19, Cosine())}


def test_another_rule_may_stand_for_the_matrices():
    assert groups_of(replace(D22, optimizer=MuonAdamW(muon=Muon())))["matrix"].rule == Muon()


def test_matrices_of_the_blocks_and_no_others_go_to_muon():
    config = replace(D22, model=Nanochat.example(), data=DataConfig(vocab_size=260, seq_len=16, batch_tokens=64))
    network = config.model.build(260, 16)
    found = {g.name: g.parameters for g in config.optimizer.groups_for(network, 64, config.schedule)}
    blocks = {id(p) for p in network.blocks.parameters()}
    assert {id(p) for p in found["matrix"]} == blocks
    assert {id(p) for p in found["smear"]} == {
        id(p) for p in (network.smear.gate.weight, network.smear.weight, network.backout_lambda)
    }


def test_nanochat_trains_with_it_and_resumes(tiny, run_to_end, assert_resumes_identically):
    optimizer = MuonAdamW(width_reference=None, batch_reference=64)
    config = replace(tiny, model=Nanochat.example(), optimizer=optimizer, schedule=trapezoid(3, warmup_steps=2))
    assert_resumes_identically(replace(config, budget=replace(tiny.budget, steps=3)))
    reports = run_to_end(replace(config, budget=replace(tiny.budget, steps=30)), [1]).reports
    assert reports[-1].val_loss < reports[0].val_loss - 0.3
