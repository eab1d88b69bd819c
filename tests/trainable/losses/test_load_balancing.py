from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.losses.load_balancing import LoadBalancing
from trainable.losses.loss_term import Outputs
from trainable.networks.mixture_of_experts import Mixture


def test_it_is_the_mean_over_layers_of_what_their_routers_left():
    network = LoadBalancing.needs["model"].build(50, 8)
    network.hidden(torch.randint(50, (2, 8)))
    left = [m.balance.item() for m in network.modules() if isinstance(m, Mixture)]
    nothing = torch.zeros(())
    found = LoadBalancing(weight=0.01)(Outputs(network, nothing, nothing, nothing, nothing)).item()
    assert len(left) == 2 and found == pytest.approx(sum(left) / 2)


def test_a_model_without_experts_has_no_balance(tiny, run_to_end):
    with pytest.raises(ValueError, match="needs experts: set model=Blueberry"):
        run_to_end(replace(tiny, losses=(LoadBalancing(weight=0.1),)))
