"""Devices that are not here, for plans: their peak speed, their memory, and whether a trial fits it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from terminal.escape import elided

if TYPE_CHECKING:
    from trainable.config import TrainConfig
    from tuner.plan.launches import Launching
    from tuner.plan.trial_cost import Beside


@dataclass(frozen=True)
class Card:
    """A device by the name that people give it, with those that ``nvidia-smi`` and torch print for it."""

    about: str
    bf16_teraflops: float  # peak of dense matrix products in bfloat16 with float32 sums, in 10^12 FLOP/s
    memory_gb: float  # 10^9 bytes
    source: str  # of these two numbers
    printed: tuple[str, ...] = ()  # names beside ``about``, after the maker's and "GeForce"


CARDS = {
    "a10": Card("NVIDIA A10", 125, 24, "NVIDIA A10 datasheet, 2021"),
    "a30": Card("NVIDIA A30", 165, 24, "NVIDIA A30 datasheet, 2021"),
    "a40": Card("NVIDIA A40", 149.7, 48, "NVIDIA A40 datasheet, 2021"),
    "a100-40gb": Card(
        "NVIDIA A100 40 GB", 312, 40, "NVIDIA A100 datasheet, 2021", ("A100-SXM4-40GB", "A100-PCIE-40GB")
    ),
    "a100-80gb": Card(
        "NVIDIA A100 80 GB", 312, 80, "NVIDIA A100 datasheet, 2021", ("A100-SXM4-80GB", "A100 80GB PCIe")
    ),
    "b200": Card("NVIDIA B200", 2250, 180, "NVIDIA DGX B200 datasheet, 2024, an eighth of it"),
    "h100": Card("NVIDIA H100 SXM", 989.4, 80, "NVIDIA H100 datasheet, 2022, without sparsity", ("H100 80GB HBM3",)),
    "h100-nvl": Card("NVIDIA H100 NVL", 835, 94, "NVIDIA H100 datasheet, 2023, without sparsity"),
    "h100-pcie": Card("NVIDIA H100 PCIe", 756, 80, "NVIDIA H100 datasheet, 2022, without sparsity"),
    "h200": Card("NVIDIA H200 SXM", 989.4, 141, "NVIDIA H200 datasheet, 2023, without sparsity"),
    "l4": Card("NVIDIA L4", 121, 24, "NVIDIA L4 datasheet, 2023, without sparsity"),
    "l40s": Card("NVIDIA L40S", 362, 48, "NVIDIA L40S datasheet, 2023, without sparsity"),
    "rtx3090": Card("GeForce RTX 3090", 71, 24, "NVIDIA GA102 whitepaper, 2020"),
    "rtx4090": Card("GeForce RTX 4090", 165.2, 24, "NVIDIA Ada whitepaper, 2022"),
    "rtx5090": Card("GeForce RTX 5090", 209.5, 32, "NVIDIA RTX Blackwell whitepaper, 2025"),
}


def card(name: str) -> Card:
    """The card of that name, however it is spaced; a ValueError with the nearest ones.

    A name is taken whole: an "RTX 4090 Laptop GPU", an "A10G" or a part of a card (MIG) is another device.
    """
    known = {_plain(text): found for key, found in CARDS.items() for text in (key, found.about, *found.printed)}
    if (plain := _plain(name)) in known:
        return known[plain]
    words = re.sub(r"rtx[^a-z0-9]*", "rtx", name.lower())
    near = [key for key in CARDS if re.search(rf"\b{key.partition('-')[0]}(?![0-9])", words)]
    near = near or difflib.get_close_matches(plain, CARDS, n=1, cutoff=0.8)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    others = f"known are {', '.join(CARDS)}; for another give --tokens-per-second"
    raise ValueError(f"--device {elided(name)!r} is no card that is known: {hint}{others}")


def _plain(name: str) -> str:
    """The name in lower case, without maker, brand, spaces and hyphens."""
    return re.sub(r"nvidia|geforce|[^a-z0-9]", "", name.lower())


@dataclass(frozen=True)
class Hardware:
    """Hardware that a plan counts with: one device's speed, where that comes from in words, and its memory if known."""

    tokens_per_second: float | None
    speed: str
    device: str  # one of them, in words
    memory: str = ""
    hours: str = "device-hours"  # what its time is counted in
    usual: float | None = None  # tokens per second where the machine is busy as it is now; None: as above
    trial_memory: float | None = None  # bytes of a GPU that a trial needs, counted
    # Of an estimate: tokens per second of the arithmetic alone, and the host that launches it.
    arithmetic: float | None = None
    launching: Launching | None = None

    def speed_of(self, config: TrainConfig, at: float) -> float:
        """Return the tokens per second of a config like the one planned for, which trains at speed ``at``."""
        if self.arithmetic is None or self.launching is None:
            return at
        return min(self.arithmetic, config.data.batch_tokens / self.launching.step_seconds(config))

    def beside(self, config: TrainConfig, at: float | None, compiling: float) -> Beside:
        """Return the seconds beside the training of such a config, which trains at speed ``at``.

        ``compiling`` are those of a trial's compilation, on average.
        """
        from tuner.plan.trial_cost import beside  # with numpy, which --help need not wait for

        launched = 0.0 if self.launching is None else self.launching.pass_seconds
        return beside(config, self.arithmetic or at, launched, compiling)


def said_of_memory(config: TrainConfig, known: Card | None, checkpointing: bool = False) -> str:
    """Describe a trial's need of a card's memory, counted without training."""
    if known is None:
        return "not compared: no card is named (--device)"
    return fit_in_words(config, known.memory_gb * 1e9, checkpointing)


def fit_in_words(config: TrainConfig, memory: float, checkpointing: bool = False) -> str:
    """Say what a trial needs of so many bytes of a device, and what would help where it does not fit."""
    from tuner.cluster.device_memory import fits, needed_by

    need = needed_by(config, checkpointing)
    whole = f"about {need.total / 1e9:,.3g} GB of {memory / 1e9:.3g}"
    parts = f"weights, gradients and moments {need.state / 1e9:,.3g}, a micro-batch {need.batch / 1e9:,.3g}"
    parts += " with checkpointed activations" if checkpointing else ""
    parts += f", an evaluation {need.evaluation / 1e9:,.3g}"
    if fits(need.total, memory):
        return f"{whole} ({parts})"
    if not fits(need.state, memory):
        helps = "a smaller model would"
    elif not fits(need.state + need.evaluation, memory):
        helps = "smaller evaluation.batch_tokens would"
    else:
        helps = what_would_help(config, memory, checkpointing)
    return f"{whole}: it does not fit; {helps} ({parts})"


def what_would_help(config: TrainConfig, memory: float, checkpointing: bool) -> str:
    """Name the least change by which a micro-batch that is too large fits."""
    from tuner.cluster.device_memory import steps_that_fit

    steps = steps_that_fit(config, memory, checkpointing)
    if steps is None and not checkpointing and (steps := steps_that_fit(config, memory, True)) is not None:
        return f"--checkpoint-activations with data.grad_accum_steps={steps} would"
    return "shorter rows would" if steps is None else f"data.grad_accum_steps={steps} would"
