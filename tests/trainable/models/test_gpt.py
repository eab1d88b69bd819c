from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainable.models.attention.exclusive_self_attention import ExclusiveSelfAttention
from trainable.models.block import ParallelBlock, SandwichBlock, SequentialBlock
from trainable.models.gpt import GPT
from trainable.models.init import OrthogonalInit
from trainable.models.layers.layer_dropout import LayerDropout
from trainable.networks.attention.exclusive_self_attention import Exclusive
from trainable.networks.gpt import Attention, rotary_table
from trainable.networks.gradients import rotate
from trainable.networks.network import Network

SMALL = GPT(num_layers=5, model_dim=16, num_heads=4, num_kv_heads=2)
VOCAB, TIME = 11, 7


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def scrambled(config: GPT) -> Network:
    """A network in which every parameter is random, so that nothing hides behind a zero or a one."""
    network = config.build(VOCAB, TIME).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape) / math.sqrt(parameter.size(-1)) + 0.1)
    return network


@pytest.fixture
def tokens() -> Tensor:
    return torch.randint(VOCAB, (2, TIME))


# --- size and initial weights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (GPT(), 17_059_912),
        (GPT(tie_embeddings=False), 17_059_912 + 524_288),
        (GPT(num_kv_heads=2), 17_059_912 - 1_179_648),
        (GPT(encoder_layers=0), 17_059_912 - 4 * 512),
        (GPT(encoder_layers=1), 17_059_912 - 3 * 512),
    ],
)
def test_the_number_of_parameters_is_the_published_one(config, expected):
    assert count(config.build(1024, 1024)) == expected


def test_a_block_has_the_published_number_of_parameters():
    network = GPT(num_layers=2).build(1024, 16)
    assert [count(block) for block in network.blocks] == [1_837_064, 1_837_064]


def test_output_projections_and_the_untied_head_start_at_zero_and_gains_at_their_published_values():
    network = replace(SMALL, tie_embeddings=False).build(VOCAB, TIME)
    assert not network.head.weight.any()
    for block in network.blocks:
        assert not block.attention.proj.weight.any()
        assert not block.mlp.proj.weight.any()
        assert (block.attention.q_gain == 1.5).all()
        assert (block.attn_scale == 1).all() and (block.mlp_scale == 1).all()
        assert (block.resid_mix[0] == 1).all() and (block.resid_mix[1] == 0).all()
    assert (network.skip_weights == 1).all()


@pytest.mark.parametrize(("tied", "std"), [(True, 0.005), (False, 1.0)])
def test_the_table_starts_small_only_if_it_is_the_output_matrix_too(tied, std):
    table = replace(SMALL, tie_embeddings=tied).build(1024, TIME).embedding.weight.detach()
    assert float(table.std()) == pytest.approx(std, rel=0.02)
    assert abs(float(table.mean())) < 0.05 * std


def test_other_linear_layers_start_uniform_within_one_over_the_root_of_their_inputs():
    network = GPT(num_layers=1, model_dim=64).build(VOCAB, TIME)
    for layer in (network.blocks[0].attention.q, network.blocks[0].attention.v, network.blocks[0].mlp.fc):
        weight = layer.weight.detach()
        assert 0.98 / 8 < float(weight.abs().max()) <= 1 / 8
        assert float(weight.std()) == pytest.approx(1 / 8 / math.sqrt(3), rel=0.05)


def test_at_the_start_the_blocks_pass_the_normalised_embedding_through(tokens):
    network = replace(SMALL, encoder_layers=0).build(VOCAB, TIME).double()
    stem = F.rms_norm(network.embedding(tokens), (16,))
    torch.testing.assert_close(network.hidden(tokens), F.rms_norm(stem, (16,)))


# --- the forward pass -------------------------------------------------------------------------------------------------


def plain_norm(x: Tensor) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + torch.finfo(x.dtype).eps).sqrt()


def plain_attention(x: Tensor, part: Attention, config: GPT) -> Tensor:
    """One row (time, dim), one head at a time; rotations as complex numbers, the mask as a loop over positions."""
    time, dim = x.shape
    width = dim // config.num_heads
    turning = config.rope_dims or width
    frequency = config.rope_base ** (-2 * torch.arange(width // 2, dtype=torch.float64) / turning)
    frequency[turning // 2 :] = 0
    turn = torch.exp(-1j * torch.arange(time, dtype=torch.float64)[:, None] * frequency)

    def rotated(vectors: Tensor) -> Tensor:
        z = torch.complex(vectors[:, : width // 2], vectors[:, width // 2 :]) * turn
        return torch.cat([z.real, z.imag], dim=1)

    heads = []
    for h in range(config.num_heads):
        shared = h // (config.num_heads // config.num_kv_heads)
        q = part.q_gain[h] * rotated(plain_norm(x @ part.q.weight[h * width : (h + 1) * width].T))
        k = rotated(plain_norm(x @ part.k.weight[shared * width : (shared + 1) * width].T))
        v = x @ part.v.weight[shared * width : (shared + 1) * width].T
        rows = [torch.softmax(q[t] @ k[: t + 1].T / math.sqrt(width), dim=0) @ v[: t + 1] for t in range(time)]
        heads.append(torch.stack(rows))
    return torch.cat(heads, dim=1) @ part.proj.weight.T


def plain_logits(network: Network, config: GPT, row: Tensor) -> Tensor:
    """The reference's prose for one row of tokens, in float64, with nothing batched."""
    stem = x = plain_norm(network.embedding.weight[row])
    encoders = config.num_layers // 2 if config.encoder_layers is None else config.encoder_layers
    stack: list[Tensor] = []
    for i, block in enumerate(network.blocks):
        decoder = i - encoders
        if decoder >= 0 and stack and network.skip_weights is not None:
            x = x + network.skip_weights[decoder] * stack.pop()
        x = block.resid_mix[0] * x + block.resid_mix[1] * stem
        before = plain_norm(x)
        attended = plain_attention(before, block.attention, config)
        x = x + block.attn_scale * (plain_norm(attended) if isinstance(config.block, SandwichBlock) else attended)
        into_mlp = before if isinstance(config.block, ParallelBlock) else plain_norm(x)
        hidden = torch.clamp(into_mlp @ block.mlp.fc.weight.T, min=0) ** 2
        x = x + block.mlp_scale * (hidden @ block.mlp.proj.weight.T)
        if i < encoders:
            stack.append(x)
    table = network.embedding.weight if network.head is None else network.head.weight
    z = plain_norm(x) @ table.T
    return config.logit_softcap * torch.tanh(z / config.logit_softcap)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"num_layers": 4},
        {"encoder_layers": 0},
        {"encoder_layers": 1},
        {"encoder_layers": 4},
        {"encoder_layers": 5},
        {"num_kv_heads": 1},
        {"num_kv_heads": 4},
        {"tie_embeddings": False},
        {"block": ParallelBlock()},
        {"block": SandwichBlock()},
        {"num_heads": 2, "rope_dims": 4},
        {"num_heads": 2, "rope_dims": 8},
        {"weight_share_period": 2},
        {"logit_softcap": 0.7, "rope_base": 50.0, "mlp_mult": 1.5},
    ],
    ids=lambda changes: ",".join(changes) or "base",
)
def test_logits_are_those_of_the_reference_written_out_in_float64(changes, tokens):
    config = replace(SMALL, **changes)
    network = scrambled(config)
    expected = torch.stack([plain_logits(network, config, row) for row in tokens])
    # The table of angles is kept in fp32, so the angles of a float64 network are fp32's.
    torch.testing.assert_close(network(tokens), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "block", [SequentialBlock(), ParallelBlock(), SandwichBlock()], ids=["sequential", "parallel", "sandwich"]
)
def test_a_token_changes_no_logits_before_it_and_some_from_it_on(block, tokens):
    network = scrambled(replace(SMALL, block=block))
    changed = tokens.clone()
    changed[:, 4] = (changed[:, 4] + 1) % VOCAB
    before, after = network(tokens), network(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4], atol=1e-12, rtol=0)
    assert ((before - after)[:, 4:].abs().amax(-1) > 1e-6).all()


def test_a_shorter_row_gives_the_first_logits_of_a_longer_one(tokens):
    network = scrambled(SMALL)
    torch.testing.assert_close(network(tokens[:, :3]), network(tokens)[:, :3], atol=1e-12, rtol=0)


def test_logits_stay_within_the_soft_cap_and_small_ones_are_left_alone():
    network = scrambled(replace(SMALL, logit_softcap=5.0)).requires_grad_(False)
    large, small = 1000 * torch.randn(1, 1, 16).double(), 1e-3 * torch.randn(1, 1, 16).double()
    assert float(network.logits(large).abs().max()) == pytest.approx(5.0, abs=1e-6)
    torch.testing.assert_close(network.logits(small), small @ network.embedding.weight.T, atol=1e-8, rtol=1e-4)


def test_heads_that_share_keys_and_values_are_heads_with_copies_of_them(tokens):
    shared = scrambled(replace(SMALL, num_kv_heads=2))
    copies = scrambled(replace(SMALL, num_kv_heads=4))
    state = shared.state_dict()
    for name in [n for n in state if n.endswith(("attention.k.weight", "attention.v.weight"))]:
        state[name] = state[name].view(2, 4, 16).repeat_interleave(2, dim=0).flatten(0, 1)
    copies.load_state_dict(state)
    torch.testing.assert_close(shared(tokens), copies(tokens), atol=1e-12, rtol=1e-10)


# --- shared weights and initial ones ----------------------------------------------------------------------------------


def test_layers_share_their_weights_in_rings():
    network = replace(SMALL, weight_share_period=2).build(VOCAB, TIME)
    parameters = [[id(p) for p in block.parameters()] for block in network.blocks]
    assert parameters[0] == parameters[2] == parameters[4] != parameters[1] == parameters[3]
    assert count(network) == count(replace(SMALL, num_layers=2, encoder_layers=0).build(VOCAB, TIME)) + 2 * 16


def test_sharing_costs_what_layers_of_their_own_cost():
    shared = replace(SMALL, weight_share_period=2)
    assert shared.flops_per_token(VOCAB, TIME) == SMALL.flops_per_token(VOCAB, TIME)


def test_a_period_of_all_layers_shares_nothing():
    torch.manual_seed(2)
    own = SMALL.build(VOCAB, TIME)
    torch.manual_seed(2)
    alone = replace(SMALL, weight_share_period=5).build(VOCAB, TIME)
    assert all(torch.equal(a, b) for a, b in zip(own.parameters(), alone.parameters(), strict=True))
    assert count(own) == count(alone)


def test_shared_layers_keep_parts_of_their_own():
    network = replace(SMALL, weight_share_period=1, attention=(ExclusiveSelfAttention(last_layers=2),)).build(VOCAB, 7)
    assert [isinstance(b.attention.parts[0], Exclusive) for b in network.blocks] == [False] * 3 + [True] * 2
    assert len({id(b.attention.q.weight) for b in network.blocks}) == 1


def test_orthogonal_matrices_turn_and_scale_and_zeros_stay():
    network = replace(SMALL, init=OrthogonalInit(gain=2.0), tie_embeddings=False).build(VOCAB, TIME)
    for block in network.blocks:
        for layer in (block.attention.q, block.attention.k, block.mlp.fc):
            w = layer.weight.detach().double()
            gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
            torch.testing.assert_close(gram, 4 * torch.eye(16)[: len(gram), : len(gram)].double(), atol=1e-5, rtol=0)
        assert not block.attention.proj.weight.any() and not block.mlp.proj.weight.any()
    assert not network.head.weight.any()


# --- skips and positions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoder_layers", "pairs"),
    [(None, {2: 1, 3: 0}), (0, {}), (1, {1: 0}), (3, {3: 2, 4: 1}), (5, {})],
    ids=str,
)
def test_each_later_block_gets_the_last_output_not_yet_taken(encoder_layers, pairs, tokens):
    """Blocks that put out a power of ten of their own tell by the sums which outputs reached them."""
    network = replace(SMALL, encoder_layers=encoder_layers).build(VOCAB, TIME).double()
    inputs: dict[int, Tensor] = {}

    class Marker(nn.Module):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

        def forward(self, x: Tensor, x0: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
            inputs[self.index] = x.detach()
            return torch.full_like(x, 10.0**self.index)

    network.blocks = nn.ModuleList(Marker(i) for i in range(5))
    if network.skip_weights is not None:
        nn.init.constant_(network.skip_weights, 3.0)
    network.hidden(tokens)
    for i in range(1, 5):
        expected = 10.0 ** (i - 1) + (3 * 10.0 ** pairs[i] if i in pairs else 0.0)
        assert float(inputs[i].mean()) == pytest.approx(expected)


def test_without_encoder_layers_there_are_no_skip_weights():
    assert replace(SMALL, encoder_layers=0).build(VOCAB, TIME).skip_weights is None


def test_a_rotated_query_and_key_see_only_how_far_apart_they_stand():
    cos, sin = rotary_table(32, 8, 100.0)
    q, k = (torch.randn(8).expand(1, 32, 1, 8) for _ in range(2))
    scores = (rotate(q, cos, sin)[0, :, 0] @ rotate(k, cos, sin)[0, :, 0].T).detach()
    for distance in range(-31, 32):
        diagonal = scores.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-5, rtol=1e-4)
    assert float((scores[0] - scores[0, 0]).abs().max()) > 0.1


def test_rotation_keeps_lengths_and_leaves_the_first_position_alone():
    cos, sin = rotary_table(6, 8, 10_000.0)
    x = torch.randn(2, 6, 3, 8)
    turned = rotate(x, cos, sin)
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(turned[:, 0], x[:, 0])


# --- cost -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        # 6 x (9 layers x (512 x 512 x 2 + 512 x 256 x 2 + 512 x 1024 x 2) + 1024 x 512) + 6 x 9 layers x 1024 x 512
        (GPT(), 6 * (9 * 1_835_008 + 524_288) + 28_311_552),
        # an untied table is only looked up: the same products
        (GPT(tie_embeddings=False), 6 * (9 * 1_835_008 + 524_288) + 28_311_552),
        (GPT(num_kv_heads=2), 6 * (9 * 1_703_936 + 524_288) + 28_311_552),
    ],
)
def test_the_cost_of_a_token_is_six_operations_a_weight_and_half_a_square_of_attention(config, expected):
    assert config.flops_per_token(1024, 1024) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_kv_heads": 3}, "num_kv_heads is 3 but must be a divisor of num_heads = 4"),
        ({"model_dim": 20}, "model_dim is 20 but must be a multiple of 2"),
        ({"encoder_layers": 6}, "encoder_layers is 6 but must be null or in 0..num_layers = 5"),
        ({"logit_softcap": 0.0}, "logit_softcap is 0.0 but must be positive"),
        ({"rope_dims": 3}, "rope_dims is 3 but must be null or even and in 2..head_dim = 4"),
        ({"rope_dims": 6}, "rope_dims is 6 but must be null or even and in 2..head_dim = 4"),
        ({"weight_share_period": 0}, "weight_share_period is 0 but must be null or at least 1 and at most 2,000"),
        ({"weight_share_period": 6}, "weight_share_period is 6 but must be null or in 1..num_layers = 5"),
        ({"layers": (LayerDropout(), LayerDropout(prob=0.5))}, "model.layers has LayerDropout twice"),
    ],
)
def test_a_shape_that_cannot_be_built_is_refused_with_its_rule(changes, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        replace(SMALL, **changes)
