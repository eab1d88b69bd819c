"""The benchmark of a step: its peers do the work that ours does, and figures are of neighbouring pairs."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from benchmarks import step_time
from benchmarks.step_peers import BFLOAT16, FLOAT32, MUONS, OWN_FUNCTIONS, PEERS, PUBLISHED, muon_step, peer_step
from benchmarks.step_time import OURS, WARM_UP, muon_alone, row, whole_steps
from trainable.hooks.gradient_clip import GradientClip
from trainable.networks import small_heads
from trainable.optimizers.roles import roles
from trainable.optimizers.update_rule import update
from trainable.run import Run
from trainable.runtime import Runtime


@pytest.fixture
def run(tiny, dataset) -> Run:
    return Run.start(replace(tiny, optimizer=replace(tiny.optimizer, muon_momentum_warmup_steps=0)), dataset, Runtime())


@pytest.mark.parametrize(("name", "off"), [(BFLOAT16, 0.02), (FLOAT32, 1e-5), (PUBLISHED, 0.05)])
def test_each_muon_takes_our_update(run, name, off) -> None:
    theirs = copy.deepcopy(run.network)
    draw = torch.Generator().manual_seed(1)
    take = muon_step(theirs, run.config, name)
    group = next(group for group in run.groups if group.name == "matrix")
    begun = [p.detach().clone() for p in group.parameters]
    for step in range(3):
        for p, q in zip(group.parameters, roles(theirs)["matrix"], strict=True):
            p.grad = torch.randn(p.shape, generator=draw)
            q.grad = p.grad.clone()
        update([group], run.optimizer_states, 1.0, step)
        take()
    for before, ours, other in zip(begun, group.parameters, roles(theirs)["matrix"], strict=True):
        moved = (ours - before).norm()
        assert (ours - other).norm() < off * moved and moved > 0.1


@pytest.mark.parametrize("name", PEERS)
def test_each_peer_learns_from_the_same_batches(run, name, monkeypatch) -> None:
    plain: list[str] = []
    kernel = torch.nn.functional.scaled_dot_product_attention

    def attend(*arguments, **keywords):
        plain.append(name)
        return kernel(*arguments, **keywords)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", attend)
    take = peer_step(run, name)
    for _ in range(2):
        take()
    assert bool(plain) is not name.endswith(OWN_FUNCTIONS)
    assert small_heads.is_faster(torch.zeros(1, 4, 2, 8), torch.zeros(1, 4, 2, 8)), "ours is as it was afterwards"


def test_every_contestant_takes_a_step_between_two_of_ours(tiny, dataset, monkeypatch) -> None:
    turns: list[str] = []
    monkeypatch.setattr(step_time, "peer_step", lambda run, name: lambda: turns.append(name))
    monkeypatch.setattr(step_time, "MILESTONE", 2)
    found = whole_steps(replace(tiny, hooks=(GradientClip(max_norm=1.0),)), dataset, Runtime(), 3)
    assert {name: len(seconds) for name, seconds in found.items()} == dict.fromkeys((OURS, *PEERS), 3)
    assert turns == list(PEERS) * (3 + WARM_UP)
    assert min(found[OURS]) > max(found[PUBLISHED]), "ours really trains"


def test_muon_alone_is_measured_for_all(tiny, dataset) -> None:
    found, precision = muon_alone(tiny, dataset, Runtime(), 3)
    assert {name: len(seconds) for name, seconds in found.items()} == dict.fromkeys((OURS, *MUONS), 3)
    assert precision == "fp32"


def test_a_figure_is_the_median_over_pairs_and_the_best_peer_is_named() -> None:
    seconds = {
        OURS: [1.0, 2.0, 4.0],
        BFLOAT16: [2.0, 2.0, 12.0],  # 2, 1 and 3 times ours
        FLOAT32: [1.5, 3.0, 6.0],
        BFLOAT16 + OWN_FUNCTIONS: [1.1, 2.2, 4.4],
    }
    lines = row("title", seconds)
    assert lines[0].split() == ["title", "2000.0", "(1000.0", "..", "4000.0)"]
    assert [line.split()[-1] for line in lines[1:4]] == ["2.00", "1.50", "1.10"]
    assert lines[4].strip() == "best without our functions: 1.50 (torch.optim.Muon in fp32); of all: 1.10"
