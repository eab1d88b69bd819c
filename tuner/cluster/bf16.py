"""Matrix products in bfloat16 on what trials run on: this machine, or the nodes of a joined cluster."""

from __future__ import annotations

import socket

from tuner.campaign.precision import Settled, settle
from tuner.cluster import gpus
from tuner.cluster.capacity import Cluster
from tuner.command import Start
from tuner.question import PRECISION, Question
from tuner.spec import BY_DEVICE


def precision_of(question: Question, here: Cluster, start: Start) -> Settled:
    """Settle the precision of a new campaign by what computes: a card that is named, the nodes, or this machine."""
    asked, of_space = question.spec.precision, question.base.precision
    if asked in (None, BY_DEVICE) and any(knob.path == PRECISION for knob in question.space.knobs):
        return Settled(None)
    if start.planning is not None and start.planning.device is not None:
        return settle(asked, of_space, {start.planning.device: True})  # no older card is known
    come = here.has_gpu and start.address is not None
    return settle(asked, of_space, multiplied(here, start.address), gpus_to_come=come)


def multiplied(here: Cluster, address: str | None) -> dict[str, bool]:
    """Tell of each host with GPUs for trials whether they multiply bfloat16 themselves; empty where trials run on CPUs.

    ``address`` is that of a joined cluster. A ValueError names what does not say.
    """
    if not here.has_gpu:
        return {}
    if address is not None:
        from tuner.cluster import nodes  # with Ray

        return nodes.multiply_bf16(nodes.alive())
    try:
        found = gpus.multiply_bf16()
    except OSError as error:
        raise ValueError(f"the GPUs of this machine do not say what they compute: {error}") from None
    return {} if found is None else {socket.gethostname(): found}
