from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.losses.head_diversity import HeadDiversity


def penalty(projections: list[np.ndarray], heads: int) -> float:
    """mean over blocks of mean((S - I)^2), S being the cosines between the heads' columns, in float64."""
    found = []
    for weight in projections:
        width = weight.shape[1] // heads
        slices = [weight[:, h * width : (h + 1) * width].astype(np.float64).ravel() for h in range(heads)]
        s = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in slices] for a in slices]
        found.append(((np.array(s) - np.eye(heads)) ** 2).mean())
    return float(np.mean(found))


@pytest.fixture
def network(tiny):
    return tiny.model.build(260, 16)


def projections(network) -> list[torch.nn.Parameter]:
    return [block.attention.proj.weight for block in network.blocks]


def test_it_is_the_mean_squared_cosine_between_heads_over_all_blocks(network, make_outputs):
    for weight in projections(network):
        torch.nn.init.normal_(weight)
        weight.data[:, 8:16] += 0.7 * weight.data[:, :8]
    value = HeadDiversity()(make_outputs(network=network))
    expected = penalty([w.detach().numpy() for w in projections(network)], heads=4)
    assert value.item() == pytest.approx(expected, rel=1e-5) and expected > 0.02


def test_every_projection_gets_a_gradient_that_turns_like_heads_apart(network, make_outputs):
    for weight in projections(network):
        torch.nn.init.normal_(weight)
        weight.data[:, 8:16] = weight.data[:, :8] + 0.1 * weight.data[:, 8:16]
    outputs = make_outputs(network=network)
    before = HeadDiversity()(outputs)
    before.backward()
    with torch.no_grad():
        for weight in projections(network):
            assert weight.grad.any()
            weight.sub_(weight.grad, alpha=10.0)
    assert HeadDiversity()(outputs) < before


def test_projections_of_zeros_count_nothing_and_get_no_gradient(network, make_outputs):
    first, second = projections(network)
    torch.nn.init.normal_(second)
    second.data[:, :8] = 0  # a single head may be zero, too
    value = HeadDiversity()(make_outputs(network=network))
    value.backward()
    alone = second.detach().numpy()[:, 8:]
    assert value.item() == pytest.approx(penalty([alone], heads=3) * 9 / 16 / 2, rel=1e-5)
    assert not first.grad.any() and not second.grad[:, :8].any() and second.grad[:, 8:].any()
    assert second.grad.isfinite().all()


def test_a_model_without_attention_is_refused(make_outputs):
    class Empty(torch.nn.Module):
        def attention_outputs(self) -> list:
            return []

    with pytest.raises(ValueError, match=r"losses\.HeadDiversity needs attention with an output projection"):
        HeadDiversity()(make_outputs(network=Empty()))
