"""Draws from a network's probabilities: the likeliest, the seeds, the limits, and what the network sees."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
import torch

from trainable.run import Run
from trainable.runtime import Runtime
from trainable.sampling import drawn_tokens


@pytest.fixture
def run(tiny, dataset) -> Run:
    """A run whose network is one table: what follows a token depends on that token alone."""
    found = Run.start(tiny, dataset, Runtime())
    draw = torch.Generator().manual_seed(1)
    table = 3 * torch.randn(260, 260, generator=draw)

    class Table(torch.nn.Module):
        seen: list[int]  # lengths

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            self.seen.append(tokens.size(1))
            return table[tokens]

    network = Table()
    network.seen, network.table = [], table
    return dataclasses.replace(found, network=network)


def test_temperature_zero_and_the_one_likeliest_follow_the_table(run) -> None:
    expected, last = [], 5
    for _ in range(20):
        last = int(run.network.table[last].argmax())
        expected.append(last)
    assert list(drawn_tokens(run, [5], 20, temperature=0)) == expected
    assert list(drawn_tokens(run, [5], 20, top_k=1, seed=3)) == expected


def test_a_seed_gives_the_same_text_and_another_one_another(run) -> None:
    first = list(drawn_tokens(run, [5], 30, seed=1))
    assert first == list(drawn_tokens(run, [5], 30, seed=1)) != list(drawn_tokens(run, [5], 30, seed=2))


@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, None), (0.5, None), (2.0, 3)])
def test_tokens_come_as_often_as_their_probabilities_say(run, temperature, top_k) -> None:
    logits = run.network.table[5].double() / temperature
    if top_k is not None:
        logits = logits.where(logits >= logits.topk(top_k).values[-1], -torch.inf)
    shares = logits.softmax(-1)
    draws = 3000
    found = Counter(next(drawn_tokens(run, [5], 1, temperature, top_k, seed)) for seed in range(draws))
    for token in range(260):
        share = float(shares[token])
        assert abs(found[token] / draws - share) <= 5 * (share * (1 - share) / draws) ** 0.5 + 1e-9, token


def test_the_network_sees_at_most_the_length_that_it_was_trained_on(run, tiny) -> None:
    list(drawn_tokens(run, range(10), 12, temperature=0))
    assert run.network.seen == [*range(10, tiny.data.seq_len), *[tiny.data.seq_len] * (22 - tiny.data.seq_len)]


@pytest.mark.parametrize("temperature", [1e-38, 5e-324])
def test_a_tiny_temperature_acts_as_none(run, temperature) -> None:
    assert list(drawn_tokens(run, [5], 20, temperature)) == list(drawn_tokens(run, [5], 20, temperature=0))


@pytest.mark.parametrize("temperature", [0, 1e-38, 1.0])
def test_no_text_is_drawn_from_logits_that_are_not_finite(run, temperature) -> None:
    run.network.table[5, 3] = torch.nan
    with pytest.raises(ValueError, match="the network's logits are not finite"):
        next(drawn_tokens(run, [5], 1, temperature))
