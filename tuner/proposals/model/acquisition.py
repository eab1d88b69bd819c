"""Logarithms of expected improvement and of the chance that a trial can be trained (Ament et al. 2023)."""

from __future__ import annotations

import math

import torch

FAR = -1e6  # standard deviations below which the leading term stands for all


def log_expected_improvement(mean: torch.Tensor, variance: torch.Tensor, incumbent: float) -> torch.Tensor:
    """Logarithm of the expected improvement below ``incumbent``, exact where it is too small for a number itself."""
    deviation = variance.sqrt()
    better = (incumbent - mean) / deviation
    return deviation.log() + _log_h(better)


def _log_h(u: torch.Tensor) -> torch.Tensor:
    """log(phi(u) + u Phi(u))."""
    log_density = -(u**2) / 2 - math.log(2 * math.pi) / 2
    near = (log_density.exp() + u * torch.special.ndtr(u)).clamp_min(1e-300).log()
    below = u.clamp(FAR, -1.0)
    ratio = math.sqrt(math.pi / 2) * torch.special.erfcx(-below / math.sqrt(2))  # Phi / phi
    tail = torch.where(below > -100, torch.log1p((below * ratio).clamp_min(-1 + 1e-15)), -2 * below.abs().log())
    found: torch.Tensor = torch.where(u > -1, near, log_density + tail)
    return found


def log_chance(mean: torch.Tensor, variance: torch.Tensor, blur: float) -> torch.Tensor:
    """Logarithm of the chance that a label is above 0; ``blur`` is the least standard deviation."""
    found: torch.Tensor = torch.special.log_ndtr(mean / variance.sqrt().clamp_min(blur))
    return found
