"""nanochat's MuonAdamW: Muon for the blocks' matrices, AdamW with a row of its own for each other kind of parameter.

Rates are scaled: w = sqrt(width_reference / model_dim) on embeddings and head, b = sqrt(batch tokens / batch_reference)
on all but the smear and backout group. The matrices' weight decay is scaled by b too, and by the size of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainable.optimizers.adam import Adam
from trainable.optimizers.normuon import NorMuon
from trainable.optimizers.roles import roles
from trainable.optimizers.update_rule import Group, Optimizer, UpdateRule
from trainable.ranges import Amount, NumParameters, NumTokens, Positive, Rate, Width
from trainable.scaling import scaling_parameters, warmdown_fraction
from trainable.schedules.schedule import Schedule

if TYPE_CHECKING:
    from torch import nn

    from trainable.networks.network import Network

SMEAR_LR = 0.2


@dataclass(frozen=True, kw_only=True)
class MuonAdamW(Optimizer):
    """Base rates before scaling; the defaults are nanochat's in 2026-07.

    A null reference leaves its scaling out. nanochat's is d12 for decay: ``wd_reference`` = 110,100,912 scaling
    parameters, so that decay is proportional to 1 / target tokens at a constant ratio of tokens to parameters.
    """

    matrix_lr: Rate = 0.02  # the matrices of the blocks, by the rule `muon`
    embed_lr: Rate = 0.3  # AdamW, the token table
    head_lr: Rate = 0.008  # AdamW, the output matrix
    scalar_lr: Rate = 0.5  # x0 lambdas
    value_embed_lr_ratio: Amount = 0.5  # to embed_lr
    resid_lr_ratio: Amount = 0.01  # of the residual lambdas and of any other gain, to scalar_lr
    muon: UpdateRule = NorMuon(weight_decay=0.28)  # the rule of the matrices
    adam_eps: Positive = 1e-10  # added to the root of the mean square
    width_reference: Width | None = 768  # channels
    batch_reference: NumTokens | None = 2**19  # tokens a step
    wd_reference: NumParameters | None = None  # parameters, see above

    def groups(self, network: Network) -> list[Group]:
        return self._groups(network, batch=1.0, muon=self.muon)

    def groups_for(self, network: Network, batch_tokens: int, schedule: Schedule) -> list[Group]:
        """At the batch of the run; a momentum that falls with the schedule's warm-down gets its length from there."""
        batch = (batch_tokens / self.batch_reference) ** 0.5 if self.batch_reference else 1.0
        muon = self.muon
        if isinstance(muon, NorMuon):
            decay = muon.weight_decay * batch
            if self.wd_reference is not None:
                decay *= self.wd_reference / scaling_parameters(network)
            falls = muon.momentum_warmdown_frac or warmdown_fraction(schedule)
            muon = replace(muon, weight_decay=decay, momentum_warmdown_frac=falls)
        return self._groups(network, batch, muon)

    def _groups(self, network: Network, batch: float, muon: UpdateRule) -> list[Group]:
        dim = network.embedding.weight.shape[1]
        width = (self.width_reference / dim) ** 0.5 if self.width_reference else 1.0
        found = roles_apart(network)
        resid_lr, embed_lr = self.resid_lr_ratio * self.scalar_lr, self.embed_lr * width * batch
        rows = [
            ("head", self.head_lr * width * batch, self._adam(0.8, 0.96, 0.01)),
            ("embedding", embed_lr, self._adam(0.8, 0.995, 0.001)),
            ("value_embedding", self.value_embed_lr_ratio * embed_lr, self._adam(0.8, 0.995, 0.01)),
            ("resid_lambda", resid_lr * batch, self._adam(0.8, 0.95, 0.05)),
            ("x0_lambda", self.scalar_lr * batch, self._adam(0.96, 0.95, 0.0)),
            ("smear", SMEAR_LR, self._adam(0.8, 0.95, 0.0)),
            ("scalar", resid_lr * batch, self._adam(0.8, 0.95, 0.0)),  # nanochat has none
            ("matrix", self.matrix_lr * batch, muon),
        ]
        return [Group(name, tuple(found[name]), rule, lr) for name, lr, rule in rows if found.get(name)]

    def _adam(self, beta1: float, beta2: float, weight_decay: float) -> Adam:
        return Adam(beta1=beta1, beta2=beta2, eps=self.adam_eps, weight_decay=weight_decay, bf16_moments=True)


def roles_apart(network: Network) -> dict[str, Sequence[nn.Parameter]]:
    """The usual roles, with the network's special ones taken out of them."""
    special = network.special_roles()
    taken = {id(p) for parameters in special.values() for p in parameters}
    usual = {role: [p for p in found if id(p) not in taken] for role, found in roles(network).items()}
    return {**usual, **special}
