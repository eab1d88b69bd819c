"""Speed of a device that is not here, for plans: estimated for a known card, or as somebody has measured it.

A step takes as long as its arithmetic, at a part of the card's peak (model FLOPs utilisation, MFU; arXiv 2204.02311),
or as long as a host takes to launch its operations, whichever is more: a small model on a large card waits for the
host. Both parts are of measurements on one card and one host. The plan says which one it is and where it comes from,
and ``--tokens-per-second`` takes its place once somebody has measured.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from terminal.duration import step_time
from trainable.config import TrainConfig
from trainable.data.preparation import known_vocab_size
from tuner.plan.known_devices import Card, Hardware, card, said_of_memory

if TYPE_CHECKING:
    from tuner.plan.launches import Launching

# Of golf's full scale on an H200 (docs/gpu/nvidia_h200.md): 11.8 % eager, 28.7 % compiled. Wider models reach 40 % and
# more; a plan that is too dear by some is better than one that runs out of money.
UTILISATION = 0.25
EAGER_UTILISATION = 0.12
CHECKPOINTED = 0.75  # of that where activations are checkpointed: of four parts of arithmetic one is done again
HINT = "(--tokens-per-second for a measured one)"


def elsewhere(
    config: TrainConfig,
    name: str | None,
    measured: float | None,
    checkpointing: bool = False,
    compiles: bool = False,
    graphs: bool = False,
) -> Hardware:
    """Devices that are not here: a card by its name, or those of a speed that somebody measured, or both.

    With ``checkpointing`` trials compute their activations twice; with ``graphs`` their passes are CUDA graphs, which
    nothing launches one by one.
    """
    known = None if name is None else card(name)
    device = "a device of that speed" if known is None else f"{known.about}, {known.memory_gb:g} GB"
    memory = said_of_memory(config, known, checkpointing)
    if measured is not None:
        return Hardware(measured, f"{_speed(config, measured)}, given with --tokens-per-second", device, memory)
    assert known is not None, "a plan for elsewhere has a card or a speed"
    found = estimated(config, known, checkpointing, compiles, graphs)
    return replace(found, device=device, memory=memory)


def estimated(
    config: TrainConfig, known: Card, checkpointing: bool = False, compiles: bool = False, graphs: bool = False
) -> Hardware:
    """The speed of a card by its peak and by what a host launches; with what it is made of in words."""
    from tuner.plan.launches import MEASURED_IN

    vocab = known_vocab_size(config.data) or config.data.vocab_size
    each = config.model.flops_per_token(vocab, config.data.seq_len)
    part = UTILISATION if compiles else EAGER_UTILISATION
    arithmetic = part * (CHECKPOINTED if checkpointing else 1) * known.bf16_teraflops * 1e12 / each
    less = f", times {CHECKPOINTED:g} for checkpointed activations" if checkpointing else ""
    computed = f"{part:.0%} of the {known.bf16_teraflops:,g} TFLOP/s in bf16 of {known.source}, {each:,} FLOPs a token"
    batch, launching = config.data.batch_tokens, launched_by_host(config, checkpointing, compiles, graphs)
    if launching is None:
        unknown = "its operations could not be counted, whose launch may take longer"
        why = f"assumed: {computed}{less}; {unknown} {HINT}"
        return Hardware(arithmetic, f"{_speed(config, arithmetic)}, {why}", known.about, arithmetic=arithmetic)
    floor = launching.step_seconds(config)
    speed = min(arithmetic, batch / floor)
    launched = f"to launch its {launching.in_step(config):,} operations, as one host did ({MEASURED_IN})"
    if speed < arithmetic:
        rest = f"its arithmetic alone would take {step_time(batch / arithmetic)}: {computed}{less}"
        why = f"estimated: the time {launched}, is a floor; {rest} {HINT}"
    else:
        why = f"assumed: {computed}{less}; at least {step_time(floor)} {launched} {HINT}"
    return Hardware(speed, f"{_speed(config, speed)}, {why}", known.about, arithmetic=arithmetic, launching=launching)


def launched_by_host(config: TrainConfig, checkpointing: bool, compiles: bool, graphs: bool) -> Launching | None:
    """The operations of a step on the host that was measured; None where a model of one's own cannot be followed."""
    from tuner.plan.launches import COMPILED, EAGER, Launching, launches

    try:
        counted = launches(config)
    except Exception:  # whatever a model does that needs the content of its tensors
        return None
    if checkpointing:
        counted = replace(counted, passes=counted.passes + counted.forward)
    if graphs:
        counted = replace(counted, passes=0)
    return Launching(counted, COMPILED if compiles else EAGER)


def _speed(config: TrainConfig, speed: float) -> str:
    return f"{speed:,.0f} tokens/s, {step_time(config.data.batch_tokens / speed)} a step"
