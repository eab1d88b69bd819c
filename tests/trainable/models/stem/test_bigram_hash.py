from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from trainable.models.stem.bigram_hash import BigramHash

LARGE = 2**16 - 1  # the largest token of any vocabulary


def test_the_bucket_is_the_published_hash_of_the_pair(place):
    table = BigramHash(buckets=3072, dim=4).build(place())
    row = [5, 0, LARGE, LARGE, 1023, 17]
    expected = [3071] + [((36313 * cur) ^ (27191 * prev)) % 3071 for prev, cur in pairwise(row)]
    assert table.bucket(torch.tensor([row, row])).tolist() == [expected, expected]


def test_the_embedding_of_the_pair_is_projected_and_scaled(place, tokens):
    table = BigramHash(buckets=9, dim=4).build(place()).double()
    torch.nn.init.normal_(table.table.weight)
    x = torch.randn(2, 7, 16).double()
    expected = x.clone()
    for row in range(2):
        for t, bucket in enumerate(table.bucket(tokens)[row]):
            expected[row, t] += 0.05 * (table.proj.weight @ table.table.weight[bucket])
    torch.testing.assert_close(table(x, tokens), expected, atol=1e-7, rtol=1e-7)


def test_it_starts_as_nothing_and_can_learn(small, tokens):
    torch.manual_seed(4)
    without = small.build(11, 7)
    torch.manual_seed(4)
    network = replace(small, stem=(BigramHash(buckets=9, dim=4),)).build(11, 7)
    assert torch.equal(network(tokens), without(tokens))
    F.cross_entropy(network(tokens).flatten(0, 1), tokens.roll(-1).flatten()).backward()
    (table,) = network.stem.parts
    assert table.table.weight.grad.any() and not table.proj.weight.grad.any()  # the first step opens the way


def test_its_parameters_and_its_cost(small):
    larger = replace(small, stem=(BigramHash(buckets=100, dim=8),))
    sizes = [sum(p.numel() for p in config.build(11, 7).parameters()) for config in (small, larger)]
    assert sizes[1] - sizes[0] == 100 * 8 + 8 * 16 + 1
    assert larger.flops_per_token(11, 7) - small.flops_per_token(11, 7) == 6 * 8 * 16


def test_its_range():
    with pytest.raises(ValueError, match=r"BigramHash.buckets is 1 but must be null or at least 2"):
        BigramHash(buckets=1)
