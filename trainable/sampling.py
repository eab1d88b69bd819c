"""Text written by a network: one token after the other, drawn from its probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trainable.seeds import for_torch

if TYPE_CHECKING:
    from trainable.run import Run
    from trainable.weights import LoadedNetwork


def drawn_tokens(
    run: Run | LoadedNetwork,
    prompt: Sequence[int],
    count: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> Iterator[int]:
    """``count`` tokens that follow ``prompt`` (at least one token).

    p(i) is the softmax of logits / temperature, over the ``top_k`` most likely tokens (None: all); temperature 0 takes
    the most likely one. The network sees the last ``data.seq_len`` tokens. The draws are made on the CPU, so that a
    seed gives the same text wherever the logits are the same. A ValueError where the logits are not finite.
    """
    import torch

    assert prompt, "a network continues something"
    ids, generator = list(prompt), torch.Generator().manual_seed(for_torch(seed))
    run.network.eval()
    for _ in range(count):
        seen = torch.tensor([ids[-run.config.data.seq_len :]], device=run.runtime.device)
        with torch.no_grad(), run.runtime.autocast():
            logits = run.network(seen)[0, -1, : run.vocab_size].float().cpu()
        if not logits.isfinite().all():
            raise ValueError("the network's logits are not finite: no text can be drawn from them")
        if temperature == 0:
            ids.append(int(logits.argmax()))
        else:
            kept = logits.topk(top_k or len(logits))
            behind = (kept.values - kept.values[0]).double()  # at most 0: no temperature makes it overflow to NaN
            shares = torch.softmax(behind / temperature, -1).float()
            ids.append(int(kept.indices[torch.multinomial(shares, 1, generator=generator)]))
        yield ids[-1]
