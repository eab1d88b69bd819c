from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from trainable.optimizers import muon, stack
from trainable.optimizers.muon import Muon, orthogonalise

BF16_TOLERANCE = 6e-4  # of one step at rate 0.02: how well torch's Muon agrees with the reference
SHAPES = [(32, 32), (24, 48), (48, 24), (64, 16)]


@pytest.fixture(params=["fp32", "bf16"])
def precision(request, monkeypatch) -> str:
    """Newton-Schulz in both arithmetics, whichever this processor would choose."""
    monkeypatch.setattr(muon, "in_bfloat16", lambda stacks: request.param == "bf16")
    return request.param


def rounded(matrix: Tensor, precision: str) -> Tensor:
    return matrix.bfloat16() if precision == "bf16" else matrix


def reference_update(gradients: list[Tensor], momentum: float) -> Tensor:
    """The direction after the last of some gradients, in float64: the EMA form of the reference, written out."""
    average = torch.zeros_like(gradients[0], dtype=torch.float64)
    for gradient in gradients:
        average = momentum * average + (1 - momentum) * gradient.double()
        nesterov = (1 - momentum) * gradient.double() + momentum * average
    rows, columns = nesterov.shape
    x = nesterov / (torch.linalg.matrix_norm(nesterov) + 1e-7)
    x = x.T if rows > columns else x
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x - 4.7750 * gram @ x + 2.0315 * gram @ gram @ x
    x = x.T if rows > columns else x
    return max(1.0, rows / columns) ** 0.5 * x


def step(rule: Muon, parameters: list[nn.Parameter], gradients: list[list[Tensor]], lr: float = 0.02) -> None:
    state = rule.start(parameters)
    for i, of_step in enumerate(gradients):
        for parameter, gradient in zip(parameters, of_step, strict=True):
            parameter.grad = gradient.clone()
        with torch.no_grad():
            rule.update(parameters, state, lr, i)


def matrices(shapes: list[tuple[int, int]], dtype: torch.dtype = torch.float32) -> list[nn.Parameter]:
    return [nn.Parameter(torch.randn(shape, dtype=dtype)) for shape in shapes]


def noise_like(parameters: list[nn.Parameter], steps: int = 1) -> list[list[Tensor]]:
    return [[torch.randn_like(p) for p in parameters] for _ in range(steps)]


def log_uniform_spectrum(size: int) -> Tensor:
    left, right = (torch.linalg.qr(torch.randn(size, size)).Q for _ in range(2))
    return left @ torch.diag(torch.logspace(0, -3, size)) @ right.T


def spectrum_and_cosine(matrix: Tensor, precision: str) -> tuple[Tensor, float]:
    """Singular values after the map, and the cosine between the result and the polar factor U V^T."""
    found = orthogonalise(rounded(matrix[None], precision), 5)[0].double()
    u, _, vh = torch.linalg.svd(matrix.double(), full_matrices=False)
    cosine = (found * (u @ vh)).sum() / (found.norm() * (u @ vh).norm())
    return torch.linalg.svdvals(found), float(cosine)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_step_is_the_reference_formula(shape, precision):
    parameters = matrices([shape])
    before, gradients = parameters[0].detach().clone(), noise_like(parameters)
    step(Muon(momentum_warmup_steps=0), parameters, gradients)
    change = (parameters[0].detach() - before).double()
    tolerance = 2e-6 if precision == "fp32" else BF16_TOLERANCE
    torch.testing.assert_close(change, -0.02 * reference_update(gradients[0], 0.95), atol=tolerance, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_in_float64_several_steps_at_a_constant_momentum_are_the_reference_formula(shape):
    parameters = matrices([shape], torch.float64)
    before, gradients = parameters[0].detach().clone(), noise_like(parameters, steps=4)
    step(Muon(momentum_warmup_steps=0), parameters, gradients)
    total = sum(reference_update([g[0] for g in gradients[: n + 1]], 0.95) for n in range(4))
    change = parameters[0].detach() - before
    torch.testing.assert_close(change, -0.02 * total, atol=1e-6, rtol=0)  # only the 1e-7 beside the norm differs


@pytest.mark.parametrize(
    ("rows", "columns", "spectrum", "low", "median", "high", "cosine"),
    [
        (256, 1024, "gaussian", 0.68, 0.95, 1.13, 0.989),
        (512, 512, "gaussian", 0.0, 0.93, 1.20, 0.983),  # the smallest is chance: 0.004 to 0.06 over six draws
        (512, 512, "log-uniform", 0.08, 0.76, 1.20, 0.903),
    ],
)
def test_singular_values_of_the_direction_lie_where_the_reference_has_them(
    rows, columns, spectrum, low, median, high, cosine, precision
):
    matrix = torch.randn(rows, columns) if spectrum == "gaussian" else log_uniform_spectrum(rows)
    values, found_cosine = spectrum_and_cosine(matrix, precision)
    slack = 0.02  # between bfloat16 and fp32, and between two draws
    assert low - slack <= values.min()
    assert values.max() <= high + slack
    assert abs(float(values.median()) - median) <= 2 * slack
    assert abs(found_cosine - cosine) <= slack / 2


def test_each_singular_value_follows_the_scalar_polynomial(precision):
    matrix = torch.randn(32, 96)
    expected = torch.linalg.svdvals(matrix.double()) / torch.linalg.matrix_norm(matrix.double())
    for _ in range(5):
        expected = 3.4445 * expected - 4.7750 * expected**3 + 2.0315 * expected**5
    found = torch.linalg.svdvals(orthogonalise(rounded(matrix[None], precision), 5)[0].double())
    tolerance = 1e-4 if precision == "fp32" else 0.02
    torch.testing.assert_close(found, expected.sort(descending=True).values, atol=tolerance, rtol=0)


def test_steps_agree_with_torch_muon():
    ours = matrices(SHAPES)
    theirs = [nn.Parameter(p.detach().clone()) for p in ours]
    gradients = noise_like(ours, steps=3)
    step(Muon(momentum_warmup_steps=0, weight_decay=0.1), ours, gradients)
    optimizer = torch.optim.Muon(theirs, lr=0.02, momentum=0.95, weight_decay=0.1)
    for of_step in gradients:
        for parameter, gradient in zip(theirs, of_step, strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=3 * BF16_TOLERANCE, rtol=0)


def test_a_tall_matrix_moves_as_its_transpose_does_but_for_the_scale():
    wide, tall = matrices([(16, 64)]), matrices([(64, 16)])
    with torch.no_grad():
        tall[0].copy_(wide[0].T)
    gradient = torch.randn(16, 64)
    before = wide[0].detach().clone()
    step(Muon(), wide, [[gradient]])
    step(Muon(), tall, [[gradient.T]])
    torch.testing.assert_close(tall[0].detach().T - before, 2 * (wide[0].detach() - before), atol=1e-6, rtol=1e-5)


def test_matrices_stepped_together_are_where_each_steps_alone(precision):
    shapes = [(8, 16), (16, 8), (16, 16), (8, 16), (16, 16)]
    together = matrices(shapes)
    alone = [nn.Parameter(p.detach().clone()) for p in together]
    gradients = noise_like(together, steps=3)
    step(Muon(), together, gradients)
    for i, parameter in enumerate(alone):
        step(Muon(), [parameter], [[of_step[i]] for of_step in gradients])
    tolerance = 1e-6 if precision == "fp32" else BF16_TOLERANCE
    torch.testing.assert_close(together, alone, atol=tolerance, rtol=0)


def test_a_stack_too_large_for_the_cache_is_stepped_in_parts_to_the_same_place(monkeypatch):
    whole = matrices([(8, 16), (16, 8)] * 3, torch.float64)
    parts = [nn.Parameter(p.detach().clone()) for p in whole]
    gradients = noise_like(whole, steps=2)
    step(Muon(), whole, gradients)
    monkeypatch.setattr(stack, "CACHED_NUMBERS", 4 * 8 * 16)
    step(Muon(), parts, gradients)
    torch.testing.assert_close(parts, whole)


def test_a_matrix_as_small_as_the_number_beside_its_norm_is_halved_at_first():
    found = orthogonalise(torch.full((1, 1, 1), 1e-7, dtype=torch.float64), 1)
    assert found.item() == pytest.approx(3.4445 * 0.5 - 4.7750 * 0.5**3 + 2.0315 * 0.5**5)


def test_the_stack_given_to_orthogonalise_is_left_as_it_was(precision):
    matrices = rounded(torch.randn(3, 8, 16), precision)
    before = matrices.clone()
    orthogonalise(matrices, 5)
    assert torch.equal(matrices, before)


def test_a_zero_gradient_moves_nothing():
    parameters = matrices([(8, 8)])
    before = parameters[0].detach().clone()
    step(Muon(), parameters, [[torch.zeros(8, 8)]])
    assert torch.equal(parameters[0], before)


def test_momentum_ramps_in_a_line_and_then_stays():
    rule = Muon(momentum=0.95, momentum_start=0.85, momentum_warmup_steps=500)
    assert [round(rule.momentum_at(n), 12) for n in (0, 240, 250, 500, 10_000)] == [0.85, 0.898, 0.9, 0.95, 0.95]


def test_without_warmup_the_momentum_is_full_from_the_first_update():
    assert Muon(momentum=0.9, momentum_start=0.1, momentum_warmup_steps=0).momentum_at(0) == 0.9


def test_the_momentum_of_each_update_is_the_one_of_its_step():
    rule = Muon(momentum=0.8, momentum_start=0.4, momentum_warmup_steps=2)
    parameters = matrices([(1, 1)], torch.float64)
    state = rule.start(parameters)
    expected = 0.0
    for i, (momentum, gradient) in enumerate([(0.4, 1.0), (0.6, 2.0), (0.8, -3.0), (0.8, 0.5)]):
        parameters[0].grad = torch.full((1, 1), gradient, dtype=torch.float64)
        with torch.no_grad():
            rule.update(parameters, state, 0.1, i)
        expected = momentum * expected + gradient
        assert float(state["momentum"][0]) == pytest.approx(expected)


def test_weight_decay_shrinks_by_the_rate_times_the_decay_whatever_the_gradient():
    decayed = matrices([(16, 8)])
    kept = [nn.Parameter(p.detach().clone()) for p in decayed]
    before = decayed[0].detach().clone()
    gradients = noise_like(decayed)
    step(Muon(weight_decay=0.5), decayed, gradients)
    step(Muon(), kept, gradients)
    torch.testing.assert_close(kept[0].detach() - decayed[0].detach(), 0.02 * 0.5 * before, atol=1e-6, rtol=0)


def test_it_iterates_in_the_precision_that_its_state_names() -> None:
    gradient, changes = torch.randn(24, 48), []
    for bfloat16 in (False, True):
        parameter = nn.Parameter(torch.zeros(24, 48))
        state = (rule := Muon()).start([parameter]) | {"bfloat16": bfloat16}
        parameter.grad = gradient.clone()
        with torch.no_grad():
            rule.update([parameter], state, 1.0, 0)
        changes.append(-parameter.detach())
    exact, coarse = changes
    assert torch.equal(coarse.bfloat16().float(), coarse) and not torch.equal(exact.bfloat16().float(), exact)
    torch.testing.assert_close(coarse, exact, atol=0.03, rtol=0)
