"""nGPT (arXiv 2410.01131): tokens, states and the rows of matrices are points on a sphere, which each sub-layer moves.

The defaults are the paper's form (NVIDIA/ngpt) at the size of the 20-round campaign; that campaign's own form has no
scales on queries, keys and MLP, an additive step, learned positions, one logit scale, and normalises the head in the
forward pass. Weights are put back on the sphere by ``hooks.WeightProjection``, without which neither is nGPT.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from terminal.nearest import rule_of_names

from trainable.models.mlp import MLP, Gelu, SwiGLU
from trainable.models.model import Model
from trainable.models.positions import LEARNED, POSITIONS, ROPE
from trainable.ranges import Heads, Layers, Part, Positive, RopeBase, Width

if TYPE_CHECKING:
    from trainable.networks.network import Network

RESIDUALS = ("lerp", "additive")
SHARPNESS: dict[str, Callable[[int], float]] = {  # factor on the query, before the kernel's 1/sqrt(head_dim)
    "sqrt_hd": float,
    "rsqrt_hd": lambda head_dim: 1.0,
}
INITS = ("normal", "torch_default")
PLACES = (*POSITIONS, "none")


@dataclass(frozen=True, kw_only=True)
class NGPT(Model):
    """The knobs of nGPT. A scale that is reparametrised is stored at 1/sqrt(model_dim) instead of at its value."""

    num_layers: Layers = 8  # blocks
    model_dim: Width = 384  # width of the residual stream
    num_heads: Heads = 8  # heads
    mlp: MLP = SwiGLU()  # the activation
    mlp_mult: Positive = 6.0  # SwiGLU takes 2/3 of it: 4 model_dim a branch, as in the reference
    positions: str = ROPE  # or learned: a table whose normalised rows are added to the normalised tokens; or none
    rope_base: RopeBase = 10000.0  # longest wavelength of the rotary positions, in tokens / 2 pi
    residual_form: str = "lerp"  # n(x + a (n(f) - x)), or additive: n(x + a f)
    residual_norm_prob: Part | None = None  # of the norm behind attention, drawn a layer and step; null is 1
    alpha_init: Positive = 0.05  # the step a; the campaign's is 0.28
    alpha_param: str = "vector"  # per channel, or scalar: one number a sub-layer
    alpha_reparam: bool = True  # stored at 1/sqrt(model_dim)
    alpha_abs: bool = True  # |a|; else a has a sign
    s_qk: bool = True  # queries and keys to length 1 per head, times a learned scale
    attn_scale: str = "sqrt_hd"  # softmax(sqrt(head_dim) q k), which unit q and k need; or rsqrt_hd
    s_uv: bool = True  # MLP pre-activations times a learned scale and sqrt(model_dim)
    cosine_head: bool = False  # the head's rows are normalised in the forward pass
    logit_scale_init: Positive = 1.0  # the campaign's is 10, then 15
    logit_scale_param: str = "per_vocab"  # or scalar
    logit_scale_reparam: bool = True  # stored at 1/sqrt(model_dim)
    init_scheme: str = "normal"  # N(0, 1/sqrt(model_dim)), or torch_default: uniform matrices, N(0, 1) tables

    def validate(self) -> None:
        pairs = 2 * self.num_heads if self.positions == ROPE else self.num_heads
        fits = self.model_dim > 0 and self.model_dim % pairs == 0
        self.check(fits, "model_dim", f"a multiple of {pairs} (num_heads, and pairs of channels for RoPE)")
        self.check(int(self.mlp_mult * self.model_dim) >= 2, "mlp_mult", "positive")
        labels = {"positions": PLACES, "residual_form": RESIDUALS, "attn_scale": SHARPNESS, "init_scheme": INITS}
        labels |= {"alpha_param": ("vector", "scalar"), "logit_scale_param": ("per_vocab", "scalar")}
        for name, known in labels.items():
            value = getattr(self, name)
            self.check(value in known, name, rule_of_names(value, known))

    @classmethod
    def campaign(cls) -> Self:
        """The form of the 20 rounds (52,802,321 parameters); they project along the last axis, and not at the start."""
        return cls(
            mlp=Gelu(),
            mlp_mult=4.0,
            positions=LEARNED,
            residual_form="additive",
            alpha_init=0.28,
            alpha_param="scalar",
            alpha_reparam=False,
            alpha_abs=False,
            s_qk=False,
            attn_scale="rsqrt_hd",
            s_uv=False,
            cosine_head=True,
            logit_scale_init=10.0,
            logit_scale_param="scalar",
            logit_scale_reparam=False,
            init_scheme="torch_default",
        )

    @property
    def has_learned_positions(self) -> bool:
        return self.positions == LEARNED

    def build(self, vocab_size: int, seq_len: int) -> Network:
        from trainable.networks.ngpt import Sphere

        return Sphere(self, vocab_size, seq_len)

    def flops_per_token(self, vocab_size: int, seq_len: int) -> int:
        d = self.model_dim
        layer = 4 * d * d + self.mlp.num_matrix_weights(d, self.mlp_mult)
        return 6 * (self.num_layers * layer + vocab_size * d) + 6 * self.num_layers * seq_len * d
