"""Memory counted from tensors that hold nothing: as much as real ones take, at two sizes of every family."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils._pytree import tree_iter

import search_spaces
from trainable.compiled_objective import objective_of
from trainable.component import components
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.networks.network import Network
from trainable.networks.plain_formulas import plain_formulas
from trainable.optimizers.adamw import AdamW
from tuner.cluster import counted_memory, device_memory
from tuner.cluster.counted_memory import count_tensors

VOCAB = 260


@pytest.fixture(params=components("model"), ids=lambda model: model.__name__)
def config(request, tiny, shrink) -> TrainConfig:
    """A small config of each family, with dropout where it has any."""
    return replace(tiny, model=shrink(request.param.example()), optimizer=AdamW())


def larger(config: TrainConfig) -> TrainConfig:
    data, evaluation = replace(config.data, batch_tokens=4 * config.data.batch_tokens), config.evaluation
    return replace(config, model=replace(config.model, num_layers=4), data=data, evaluation=evaluation)


def kept_for_backward(config: TrainConfig, checkpointing: pytest.MonkeyPatch | None = None) -> int:
    """Bytes of the tensors that a real forward pass keeps, weights left out: those that autograd packs.

    With ``checkpointing`` also those that blocks are given, in place of what they compute.
    """
    kept: dict[int, int] = {}
    network = config.model.build(VOCAB, config.data.seq_len)
    if config.precision == "bf16":
        network.keep_in_bf16(config.model.low_precision_tables)
    own = {each.untyped_storage().data_ptr() for each in (*network.parameters(), *network.buffers())}
    rows = config.data.batch_tokens // config.data.seq_len
    tokens = torch.randint(VOCAB, (rows, config.data.seq_len))
    alive = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        alive.append(tensor)  # or the place of one that was freed would be another's
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    if checkpointing is not None:
        network.checkpoints_activations, call_block = True, Network.call_block

        def given(network, block, *inputs):
            for each in tree_iter(inputs):
                if isinstance(each, torch.Tensor):
                    pack(each)
            return call_block(network, block, *inputs)

        checkpointing.setattr(Network, "call_block", given)
    objective = objective_of(network, config.losses, config.loss_chunks, "cpu")
    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with plain_formulas(), hooks, torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
        objective(tokens, tokens, torch.zeros(()))
    if checkpointing is not None:
        checkpointing.setattr(Network, "call_block", call_block)
    return sum(size for place, size in kept.items() if place not in own)


@pytest.mark.parametrize("precision", [None, "bf16"])
def test_the_count_is_what_a_real_step_keeps_and_little_more_at_two_sizes(config, precision):
    """Beside what is kept for the backward pass there is at its peak what that makes: gradients of the logits."""
    for sized in (config, larger(config)):
        sized = replace(sized, precision=precision)
        kept, found = kept_for_backward(sized), count_tensors(sized, VOCAB)
        logits = 4 * VOCAB * sized.data.batch_tokens
        assert kept <= found.step <= 1.05 * kept + 6 * logits, (kept, found, logits)


@pytest.mark.parametrize("precision", [None, "bf16"])
def test_checkpointed_activations_are_counted_as_what_a_real_step_keeps_of_them(config, precision, monkeypatch):
    """Kept are what blocks are given and what is around them; at the peak one block is there whole."""
    for sized in (config, larger(config)):
        sized = replace(sized, precision=precision)
        plain, around = kept_for_backward(sized), kept_for_backward(sized, monkeypatch)
        found, logits = count_tensors(sized, VOCAB, checkpointing=True), 4 * VOCAB * sized.data.batch_tokens
        one_block = (plain - around) / sized.model.num_layers
        assert around < plain - 0.4 * (sized.model.num_layers * one_block), "what blocks keep is most of it"
        assert around <= found.step <= 1.05 * (around + 1.5 * one_block) + 6 * logits, (
            around,
            one_block,
            found,
            logits,
        )


def test_of_many_layers_checkpointing_leaves_a_small_part(config):
    deep = replace(larger(config), model=replace(larger(config).model, num_layers=12))
    whole, checkpointed = (count_tensors(deep, VOCAB, checkpointing) for checkpointing in (False, True))
    assert checkpointed.step < 0.5 * whole.step
    assert (checkpointed.state, checkpointed.evaluation) == (whole.state, whole.evaluation)


def test_weights_gradients_and_moments_are_counted_by_their_types(config):
    found = count_tensors(config, VOCAB)
    network = config.model.build(VOCAB, config.data.seq_len)
    buffers = sum(each.nbytes for each in network.buffers())
    assert found.parameters == sum(p.numel() for p in network.parameters())
    moments = 8 * found.parameters + 4 * len(list(network.parameters()))  # and a count of steps each
    assert found.state == 8 * found.parameters + moments + buffers
    halves = sum(p.numel() for name in config.model.tables_of_source for p in _tables(network, name))
    assert count_tensors(replace(config, precision="bf16"), VOCAB).state == found.state - 4 * halves


def _tables(network, role):
    return {**network.special_roles(), "embedding": [network.embedding.weight]}[role]


def test_a_micro_batch_is_halved_by_twice_as_many_and_chunks_of_the_loss_are_seen(tiny):
    tiny = with_values(tiny, {"data.batch_tokens": 4096, "evaluation.batch_tokens": 64})
    whole, half = count_tensors(tiny, 5000), count_tensors(device_memory.with_steps(tiny, 2), 5000)
    assert half.step == pytest.approx(whole.step / 2, rel=0.05) and half.state == whole.state
    assert count_tensors(replace(tiny, loss_chunks=8), 5000).step < 0.6 * whole.step


def test_the_fewest_micro_batches_that_fit_are_found_by_doubling(tiny):
    tiny = with_values(tiny, {"data.batch_tokens": 4096, "evaluation.batch_tokens": 64, "data.vocab_size": 5000})
    need = {steps: device_memory.needed_by(device_memory.with_steps(tiny, steps)).total for steps in (1, 2, 4)}
    memory = {steps: device_memory.FRAGMENTED * total + device_memory.CONTEXT_BYTES for steps, total in need.items()}
    for steps, room in memory.items():
        assert device_memory.steps_that_fit(tiny, room) == steps
        assert device_memory.steps_that_fit(tiny, room - 1e3) == {1: 2, 2: 4, 4: 8}[steps]
    assert device_memory.steps_that_fit(tiny, device_memory.CONTEXT_BYTES) is None


@pytest.mark.slow
def test_nanochats_full_scale_needs_more_than_an_h100_and_half_of_its_micro_batch_fits():
    base = replace(search_spaces.load("nanochat").scale("full").base, precision="bf16")
    assert 80e9 < device_memory.needed_by(base).total < 120e9
    assert device_memory.steps_that_fit(base, 80e9) == 64 and device_memory.steps_that_fit(base, 141e9) == 32


def test_storages_that_are_freed_are_no_longer_counted():
    with counted_memory.LiveBytes() as found:
        kept = torch.zeros(10)
        torch.zeros(100)
        view = kept[2:]
    assert (found.live, found.peak) == (40, 440) and view.numel() == 8


def test_what_is_scored_lies_on_the_device_as_a_whole(tiny, monkeypatch):
    """Of golf's full scale 62 million tokens at its end, in 32 bits: a quarter of a gigabyte."""
    counted = count_tensors(tiny, VOCAB).evaluation
    tiny = with_values(tiny, {"data.vocab_size": VOCAB, "evaluation.tokens": 640})
    assert device_memory.needed_by(tiny).evaluation == counted + 4 * 640
    whole = with_values(tiny, {"evaluation.tokens": None})
    monkeypatch.setattr(device_memory, "known_validation_targets", lambda data: 62_021_632)
    assert device_memory.needed_by(whole).evaluation == counted + 4 * 62_021_632
