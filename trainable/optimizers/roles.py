"""Roles of the parameters. Optimizers give rates to roles, never to names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from trainable.networks.network import Network


ROLES = ("embedding", "head", "matrix", "scalar")


def roles(network: Network) -> dict[str, list[nn.Parameter]]:
    """The parameters of each role, in the network's order; each parameter has exactly one.

    embedding: token tables. head: the untied output matrix. matrix: weights of linear layers inside blocks (what Muon
    may orthogonalise). scalar: everything else: gains, scales, mixes, skip weights, of any number of dimensions.
    """
    from torch import nn

    of: dict[int, str] = {}
    for module in network.modules():
        if isinstance(module, nn.Embedding):
            of[id(module.weight)] = "embedding"
        elif isinstance(module, nn.Linear):
            of[id(module.weight)] = "head" if module is network.head else "matrix"
    found: dict[str, list[nn.Parameter]] = {role: [] for role in ROLES}
    for parameter in network.parameters():
        found[of.get(id(parameter), "scalar")].append(parameter)
    assert sum(map(len, found.values())) == len(list(network.parameters()))
    return found
