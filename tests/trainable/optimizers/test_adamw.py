from __future__ import annotations

import pytest

from trainable.models.gpt2 import GPT2
from trainable.models.ngpt import NGPT
from trainable.networks.network import Network
from trainable.optimizers.adamw import AdamW
from trainable.optimizers.sgd import SGD
from trainable.optimizers.update_rule import Group


def names_of(group: Group, network: Network) -> set[str]:
    names = {id(p): name for name, p in network.named_parameters()}
    return {names[id(p)] for p in group.parameters}


def test_the_ngpt_campaign_has_two_groups_that_both_decay():
    network = NGPT.campaign().build(300, 16)
    matrix, other = AdamW(lr=0.001, other_lr_ratio=0.3).groups(network)
    assert matrix.lr == 0.001 and other.lr == pytest.approx(0.0003)
    assert {name.split(".", 2)[2] for name in names_of(matrix, network)} == {
        *(f"attention.{m}.weight" for m in ("q", "k", "v", "proj")),
        "mlp.fc.weight",
        "mlp.proj.weight",
    }
    outside = {name for name in names_of(other, network) if not name.startswith("blocks")}
    assert outside == {"embedding.weight", "place.table.weight", "head.weight", "logit_scale.parameter"}
    assert len(matrix.parameters) + len(other.parameters) == len(list(network.parameters()))
    for group in (matrix, other):
        rule = group.rule
        assert (rule.beta1, rule.beta2, rule.eps, rule.weight_decay) == (0.9, 0.999, 1e-8, 0.01)


def test_decay_groups_are_those_of_the_mainrun_report():
    network = GPT2(num_layers=2, model_dim=16, num_heads=2).build(300, 16)
    groups = AdamW(weight_decay=0.1, beta2=0.95, wd_exclude="1d_and_norm").groups(network)
    decayed = {name for g in groups if g.rule.weight_decay for name in names_of(g, network)}
    spared = {name for g in groups if not g.rule.weight_decay for name in names_of(g, network)}
    by_the_report = {
        name for name, p in network.named_parameters() if p.ndim == 1 or name.endswith(".bias") or "norm" in name
    }
    assert spared == by_the_report and decayed == {name for name, _ in network.named_parameters()} - spared
    assert {g.lr for g in groups} == {1e-3}
    assert {"embedding.weight", "place.table.weight"} <= decayed


def test_settings_out_of_range_name_their_field():
    with pytest.raises(ValueError, match=r"AdamW\.wd_exclude is 'norms' but must be one of none, 1d_and_norm"):
        AdamW(wd_exclude="norms")
    with pytest.raises(ValueError, match=r"AdamW\.beta1 is 1.0"):
        AdamW(beta1=1.0)
    with pytest.raises(ValueError, match=r"SGD\.momentum is 1.0"):
        SGD(momentum=1.0)
