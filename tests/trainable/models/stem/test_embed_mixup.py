from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainable.models.stem.embed_mixup import EmbedMixup


def shares(x: Tensor, mixed: Tensor, partner: Tensor) -> Tensor:
    """The share of ``partner`` in each token of ``mixed``; every channel must tell the same."""
    ratio = (mixed - x) / (partner - x)
    torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio), atol=1e-6, rtol=1e-6)
    return ratio[..., 0]


def test_a_token_is_mixed_with_the_one_before_it_by_a_share_of_its_own(place):
    x = torch.randn(30, 40, 6).double()
    mixed = EmbedMixup(weight=0.4).build(place())(x, torch.zeros(30, 40))
    found = shares(x[:, 1:], mixed[:, 1:], x[:, :-1])
    assert torch.equal(mixed[:, 0], x[:, 0])
    assert 0 <= float(found.min()) < 0.01 and 0.39 < float(found.max()) <= 0.4
    assert float(found.mean()) == pytest.approx(0.2, abs=0.02)
    assert len(found.flatten().unique()) > 1000


def test_random_pairs_are_rows_and_differ_from_pass_to_pass(place):
    mixup = EmbedMixup(weight=0.5, pairing="random").build(place())
    x = torch.randn(8, 20, 6).double()

    def partners() -> list[int]:
        mixed, found = mixup(x, torch.zeros(8, 20)), []
        for row in range(8):
            if torch.equal(mixed[row], x[row]):
                found.append(row)  # its own partner
                continue
            fits = [r for r in range(8) if r != row and _lies_between(x[row], mixed[row], x[r])]
            assert len(fits) == 1
            found += fits
        return found

    first, second = partners(), partners()
    assert sorted(first) == sorted(second) == list(range(8))
    assert first != second


def _lies_between(x: Tensor, mixed: Tensor, partner: Tensor) -> bool:
    try:
        found = shares(x, mixed, partner)
    except AssertionError:
        return False
    return bool(((found >= -1e-9) & (found <= 0.5)).all())


def test_rolled_it_is_the_scripts_arithmetic_and_the_first_token_is_mixed_with_the_last(place):
    """x (1 - a) + a roll(x, 1), so that the first token of a row gets a part of the last, which lies ahead."""
    x = torch.randn(30, 40, 6).double()
    mixed = EmbedMixup(weight=0.4, pairing="rolled").build(place())(x, torch.zeros(30, 40))
    before = torch.stack([x[:, (t - 1) % 40] for t in range(40)], dim=1)
    found = shares(x, mixed, before)
    assert float(found.min()) >= 0 and 0.39 < float(found.max()) <= 0.4
    assert float(found[:, 0].mean()) == pytest.approx(0.2, abs=0.06)


@pytest.mark.parametrize("pairing", ["previous", "rolled", "random"])
def test_in_evaluation_and_at_weight_zero_nothing_is_mixed(pairing, place):
    x = torch.randn(4, 5, 6)
    for module in (
        EmbedMixup(weight=0.5, pairing=pairing).build(place()).eval(),
        EmbedMixup(weight=0.0, pairing=pairing).build(place()),
    ):
        assert torch.equal(module(x, torch.zeros(4, 5)), x)


def test_an_unknown_pairing_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"EmbedMixup.pairing is 'prev' but must be one of .*did you mean 'previous'"):
        EmbedMixup(pairing="prev")
