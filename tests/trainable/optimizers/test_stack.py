"""Matrices treated as one tensor: which lie where, and that nothing of it changes a bit of the update."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from trainable.optimizers import stack
from trainable.optimizers.gradient_descent import GradientDescent
from trainable.optimizers.muon import Muon, orthogonalise
from trainable.optimizers.normuon import NorMuon
from trainable.optimizers.stack import CACHED_NUMBERS, Stack, at_once, stacks
from trainable.optimizers.update_rule import UpdateRule

SHAPES = [(8, 16), (16, 8), (6, 6), (8, 16), (16, 8), (16, 8), (6, 6)]


def matrices() -> list[nn.Parameter]:
    return [nn.Parameter(torch.randn(shape)) for shape in SHAPES]


def with_gradients(parameters: list[nn.Parameter]) -> list[nn.Parameter]:
    for p in parameters:
        p.grad = torch.randn_like(p)
    return parameters


def test_transposes_lie_turned_behind_the_wide_ones() -> None:
    parameters = with_gradients(matrices())
    large, small = stacks(parameters)
    a, b, c, d, e, f, g = parameters
    assert [*map(id, large.members)] == [*map(id, (a, d, b, e, f))] and [*map(id, small.members)] == [id(c), id(g)]
    assert (large.shape, small.shape) == ((5, 8, 16), (2, 6, 6))
    assert torch.equal(large.gradients(), torch.stack([a.grad, d.grad, b.grad.T, e.grad.T, f.grad.T]))
    assert torch.equal(small.gradients(), torch.stack([c.grad, g.grad]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_changes_have_the_shape_and_type_of_their_matrices(dtype) -> None:
    whole = torch.randn(5, 8, 16).to(dtype)
    (wide, first), (tall, second) = stacks(matrices())[0].changes(whole)
    assert [p.shape for p in wide] == [(8, 16)] * 2 and [p.shape for p in tall] == [(16, 8)] * 3
    assert torch.equal(first, whole[:2].float()) and torch.equal(second, whole[2:].mT.float())
    assert first.is_contiguous() and second.is_contiguous()


@pytest.mark.parametrize("only", ["wide", "tall"])
def test_there_may_be_no_transposes_or_nothing_else(only) -> None:
    shape = (4, 6) if only == "wide" else (6, 4)
    (found,) = stacks(with_gradients([nn.Parameter(torch.randn(shape)) for _ in range(2)]))
    ((members, part),) = found.changes(found.gradients())
    assert torch.equal(part, torch.stack([p.grad for p in members])) and len(getattr(found, only)) == 2


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_parts_are_the_whole_in_pieces_of_what_the_cache_holds(size, monkeypatch) -> None:
    monkeypatch.setattr(stack, "CACHED_NUMBERS", size * 8 * 16)
    whole = stacks(with_gradients(matrices()))[0]
    pieces = list(whole.parts())
    assert [len(part.members) for part, _ in pieces] == [len(range(5)[at]) for _, at in pieces]
    assert all(len(part.members) <= size for part, _ in pieces)
    assert torch.equal(torch.cat([part.gradients() for part, _ in pieces]), whole.gradients())
    assert torch.equal(torch.cat([whole.gradients()[at] for _, at in pieces]), whole.gradients())


def test_a_cpu_treats_as_many_matrices_at_once_as_its_cache_holds_and_other_devices_all() -> None:
    members = [torch.empty(128, 512)] * 8
    assert at_once(members) == CACHED_NUMBERS // 2**16 == 4
    assert at_once([matrix.to("meta") for matrix in members]) == 8
    assert at_once([torch.empty(1024, 1025)] * 8) == 1, "one at a time where none fits"


def test_a_matrix_without_a_gradient_is_an_error() -> None:
    with pytest.raises(AssertionError, match="has no gradient"):
        Stack(matrices()[:1], []).gradients()


# --- a matrix at a time, in the same arithmetic -----------------------------------------------------------------------


class OneByOne:
    """The rules written out for a single matrix."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters
        self.buffers = [torch.zeros_like(p) for p in parameters]
        self.squares: list[Tensor | None] = [None] * len(parameters)

    def muon(self, rule: Muon, lr: float, step: int) -> None:
        for p, buffer in zip(self.parameters, self.buffers, strict=True):
            beta = rule.momentum_at(step)
            buffer.copy_(torch.add(p.grad, buffer, alpha=beta))
            change = self.polar(p.grad.add(buffer, alpha=beta), lambda x: orthogonalise(x, rule.ns_steps))
            p.mul_(1 - lr * rule.weight_decay)
            p.add_(change, alpha=-lr * max(1.0, p.shape[0] / p.shape[1]) ** 0.5)

    def normuon(self, rule: NorMuon, lr: float, step: int) -> None:
        beta, decay = rule.momentum_at(step, 0.0), rule.weight_decay
        for i, (p, buffer) in enumerate(zip(self.parameters, self.buffers, strict=True)):
            buffer.lerp_(p.grad, 1 - beta)
            change = self.polar(p.grad.lerp(buffer, beta), lambda x, i=i: self.normed(rule, i, rule.orthogonal(x)))
            scaled = lr * max(1.0, p.shape[0] / p.shape[1]) ** 0.5
            p.addcmul_(p, change * p >= 0, value=-scaled * decay)
            p.add_(change, alpha=-scaled)

    def normed(self, rule: NorMuon, i: int, found: Tensor) -> Tensor:
        mean = found.square().mean(-1 if found.size(-2) == found.size(-1) else -2, keepdim=True)
        before = torch.zeros_like(mean) if self.squares[i] is None else self.squares[i]
        self.squares[i] = before.lerp(mean, 1 - rule.beta2)
        scaled = found * self.squares[i].clamp_min(1e-10).rsqrt()
        lengths = [torch.linalg.matrix_norm(x, keepdim=True) for x in (found, scaled)]
        return scaled * (lengths[0] / lengths[1].clamp_min(1e-10))

    def gradientdescent(self, rule: GradientDescent, lr: float, step: int) -> None:
        for p, buffer in zip(self.parameters, self.buffers, strict=True):
            decayed = p.grad.add(p, alpha=rule.weight_decay)
            buffer.mul_(rule.momentum).add_(decayed)
            p.add_(decayed.add(buffer, alpha=rule.momentum) if rule.nesterov else buffer, alpha=-lr)

    @staticmethod
    def polar(direction: Tensor, orthogonal) -> Tensor:
        tall = direction.shape[0] > direction.shape[1]
        found = orthogonal((direction.T if tall else direction)[None].contiguous())[0]
        return found.T if tall else found


@pytest.mark.parametrize(
    "rule",
    [
        Muon(weight_decay=0.1),
        NorMuon(weight_decay=0.1),
        GradientDescent(momentum=0.9, weight_decay=0.1),
        GradientDescent(momentum=0.9, weight_decay=0.1, nesterov=True),
    ],
)
def test_every_weight_is_bit_for_bit_the_one_of_a_loop_over_matrices(rule: UpdateRule, first_difference) -> None:
    together = matrices()
    apart = OneByOne([nn.Parameter(p.detach().clone()) for p in together])
    state = rule.start(together)
    for step in range(4):
        with_gradients(together)
        for p, q in zip(together, apart.parameters, strict=True):
            q.grad = p.grad.clone()
        with torch.no_grad():
            rule.update(together, state, 0.02, step)
            getattr(apart, type(rule).__name__.lower())(rule, 0.02, step)
    assert first_difference(together, apart.parameters) is None
