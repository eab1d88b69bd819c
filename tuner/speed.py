"""How fast a model trains on this machine, measured in moments and without data, for plans."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from search_spaces.constraints import num_parameters
from trainable.config import TrainConfig
from trainable.data import known_vocab_size
from trainable.optimizers import update_rule
from trainable.runtime import Runtime

TIMED = 3  # times, of which the shortest counts
MOST_FLOPS_ON_CPU = 4 * 10**12  # of the passes that are timed: a minute or so
LARGEST_ON_CPU = 100_000_000  # parameters; beyond it, one pass may take all memory and its time says nothing


def tokens_per_second(config: TrainConfig, runtime: Runtime) -> float | None:
    """Speed of whole steps of this model, on random tokens: forward, backward and the optimizer, without evaluations.

    On a CPU one row is enough for the passes; an accelerator is given a whole micro-batch. None where the model is too
    large to be timed here.
    """
    threads, vocab = torch.get_num_threads(), known_vocab_size(config.data) or config.data.vocab_size
    rows = config.data.batch_tokens // config.data.seq_len // config.data.grad_accum_steps
    if runtime.device_type == "cpu":
        if num_parameters(config, vocab) > LARGEST_ON_CPU:
            return None
        rows = min(rows, max(1, 1024 // config.data.seq_len))
        flops = rows * config.data.seq_len * config.model.flops_per_token(vocab, config.data.seq_len)
        if flops > MOST_FLOPS_ON_CPU:
            return None
        torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):  # of weights, tokens and dropout
            torch.manual_seed(0)
            network = config.model.build(vocab, config.data.seq_len).to(runtime.device)
            tokens = torch.randint(vocab, (rows, config.data.seq_len), device=runtime.device)

            def passes() -> None:
                with runtime.autocast():
                    logits = network(tokens).float()
                F.cross_entropy(logits.flatten(0, 1), tokens.flatten()).backward()  # type: ignore[no-untyped-call]

            of_passes = _shortest(passes, runtime)
        for parameter in network.parameters():
            if parameter.grad is None:  # reached by a part of the loss that random tokens do without
                parameter.grad = torch.zeros_like(parameter)
        groups = config.optimizer.groups_for(network, config)
        states, momentum = update_rule.start(groups), config.schedule.momentum(0.0)
        of_update = _shortest(lambda: update_rule.update(groups, states, 1.0, 0, 0.0, momentum), runtime)
        batch = config.data.batch_tokens
        return batch / (of_passes * batch / tokens.numel() + of_update)
    except torch.OutOfMemoryError:
        return None
    finally:
        torch.set_num_threads(threads)


def _shortest(work: Callable[[], None], runtime: Runtime) -> float:
    seconds = []
    for _ in range(1 + TIMED):  # the first one warms up
        runtime.synchronize()
        started = time.perf_counter()
        work()
        runtime.synchronize()
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])
