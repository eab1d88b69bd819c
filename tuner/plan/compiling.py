"""Decision to compile the steps of a campaign's trials: where on a GPU that saves more seconds than it takes.

A trial saves a part of its eager training. It costs a compilation, which is dear for a structure that the node's cache
does not have and cheaper for one that it has; numbers make no structure (``tests/contracts/test_every_graph.py``). The
constants are assumptions, printed with the choice, and give way to what the campaign's own trials took. That is known
where it is resumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import fmean

from results.store.row_types import TrialRow
from search_spaces.domains import Choice, Integer
from search_spaces.space import Knob
from terminal.duration import duration
from trainable.config import TrainConfig
from trainable.data.preparation import known_vocab_size
from tuner.command import Planning
from tuner.early_stopping import rungs
from tuner.plan.card_speed import EAGER_UTILISATION
from tuner.plan.cost import expected_share, tokens_of
from tuner.plan.known_devices import CARDS
from tuner.question import Question

# Measured on an H200 with torch 2.11, whose host launches slowly, of golf's nine layers (python -m benchmarks.gpu
# --sections speed_full,speed_proxy,reused_actor): a step at full scale takes 585 ms eager, at 12 % of an H100's peak,
# and 241 ms compiled; at the proxy scale, where the GPU waits for launches, 40.5 and 33.3 ms. Compiling a
# step takes 19 to 32 s with an empty cache and 7 to 13 s with one that has it; the evaluation comes to it.
SAVED = 0.5  # part of an eager step of a model that keeps the GPU busy
SAVED_WAITING = 0.18  # of one that is launched more slowly than it runs
LAUNCH_SECONDS = 0.004  # at least, of an eager step for each layer, however small it is
COLD_SECONDS = 3.5  # of compiling, for each layer, with an empty cache
WARM = 0.35  # of that, with a cache that has the graph: tracing is left
FASTEST = CARDS["h100"]  # stands for a GPU whose speed is not known: on a slower one more is saved

GRAPH_FIELDS = ("model", "losses")  # of a config: what a graph computes


@dataclass(frozen=True)
class Costs:
    """Seconds of a trial's training in eager mode, the part of them that is saved, and seconds of a compilation."""

    eager: float | None  # None: not known
    saved: float
    cold: float
    warm: float
    source: str  # of them, in words

    def compiling(self, trials: int, structures: float) -> float:
        """Mean seconds of compiling a trial, of so many that have so many structures."""
        new = min(1.0, structures / trials)
        return new * self.cold + (1 - new) * self.warm


@dataclass(frozen=True)
class Compiling:
    """The choice, its reason in words (empty where there was none to make), and what it costs."""

    compiles: bool
    why: str
    seconds: float = 0.0  # of compiling a trial, on average; 0 where it is not compiled


def of_start(
    question: Question, has_gpu: bool, planning: Planning | None = None, rows: Iterable[TrialRow] = ()
) -> Compiling:
    """The choice for one start of a campaign, whose ``rows`` tell what its trials took so far; or for a plan."""
    base, spec, trials = question.base, question.spec, question.trials
    speed = None
    if planning is not None and planning.is_elsewhere:
        has_gpu, speed = planning.device is not None, planning.tokens_per_second
    costs = as_measured(rows, assumed(base, tokens_of(base), speed))
    stopper = spec.stopper if spec.stopper is not None and question.space.measured_on_the_way else "none"
    milestones = rungs(base.budget) if stopper != "none" else []
    share = expected_share(milestones, base.budget.amount, stopper, spec.fidelity)
    structures = trials if question.replay is not None else num_structures(question.space.knobs, trials)
    return better_way(spec.compile, has_gpu, costs, share, costs.compiling(max(1, trials), structures))


def of_runs(
    base: TrainConfig, runs: int, asked: bool | None, has_gpu: bool, planning: Planning | None = None
) -> Compiling:
    """The choice for so many runs about like ``base``, of one structure, that nobody stops."""
    if planning is not None and planning.is_elsewhere:
        has_gpu = planning.device is not None
    costs = assumed(base, tokens_of(base))
    return better_way(asked, has_gpu, costs, 1.0, costs.compiling(max(1, runs), 1.0))


def better_way(asked: bool | None, on_cuda: bool, costs: Costs, share: float, price: float) -> Compiling:
    """Choose what was ``asked``; where nothing was, what takes less time.

    A trial trains ``share`` of a whole one, since early stopping ends some, and takes ``price`` seconds to compile.
    """
    if asked is not None:
        return Compiling(True, "yes (--compile)", price) if asked else Compiling(False, "no (--no-compile)")
    if not on_cuda:
        return Compiling(False, "")
    if costs.eager is None:
        return Compiling(False, "no: it is not known how long a trial trains (--compile does all the same)")
    gain = costs.saved * costs.eager * share
    pays = gain > price
    return Compiling(
        pays,
        f"{'yes' if pays else 'no'}: it saves {duration(max(0.0, gain))} of a trial and takes {duration(price)} "
        f"({costs.source}; {'--no-compile' if pays else '--compile'} for the other)",
        price if pays else 0.0,
    )


def assumed(config: TrainConfig, tokens: int | None, tokens_per_second: float | None = None) -> Costs:
    """Costs of ``config`` before anything has been trained: of so many ``tokens``, at a speed or at a card's peak."""
    layers = int(getattr(config.model, "num_layers", 1))
    vocab = known_vocab_size(config.data) or config.data.vocab_size
    each = config.model.flops_per_token(vocab, config.data.seq_len)
    arithmetic = each / (EAGER_UTILISATION * FASTEST.bf16_teraflops * 1e12)  # seconds a token
    launches = LAUNCH_SECONDS * layers * config.data.grad_accum_steps / config.data.batch_tokens
    eager = config.budget.seconds
    if eager is None and tokens is not None:
        eager = tokens / tokens_per_second if tokens_per_second else tokens * max(arithmetic, launches)
    saved = SAVED if arithmetic > launches else SAVED_WAITING
    said = f"assumed: {saved:.0%} of a step, {COLD_SECONDS:g} s a layer"
    return Costs(eager, saved, COLD_SECONDS * layers, WARM * COLD_SECONDS * layers, said)


def as_measured(rows: Iterable[TrialRow], before: Costs) -> Costs:
    """The costs with what the campaign's own completed trials took in the place of what was assumed."""
    done = [row for row in rows if row["status"] == "completed" and row["train_seconds"] and not row["reused_from"]]
    compiled = [row for row in done if row["compile_seconds"]]
    found = before
    said: list[str] = []
    if eager := [row["train_seconds"] or 0.0 for row in done if not row["compile_seconds"]]:
        found, said = replace(found, eager=fmean(eager)), [*said, "training"]
    if compiled:
        trained = fmean(row["train_seconds"] or 0.0 for row in compiled)
        took = fmean(row["compile_seconds"] or 0.0 for row in compiled)
        found, said = replace(found, cold=took, warm=took), [*said, "compiling"]
        if eager and found.eager:
            found, said = replace(found, saved=1 - trained / found.eager), [*said, "saving"]
        else:
            found = replace(found, eager=trained / (1 - found.saved))
    return replace(found, source=f"{' and '.join(said)} as its trials had it") if said else before


def num_structures(knobs: Iterable[Knob], trials: int) -> float:
    """Mean number of structures among ``trials`` drawn evenly: of each knob what it chooses, not its numbers."""
    kinds = math.prod(_kinds(knob) for knob in knobs if knob.path.startswith(GRAPH_FIELDS))
    return kinds * -math.expm1(trials * math.log1p(-1 / kinds)) if kinds > 1 else 1.0


def _kinds(knob: Knob) -> int:
    domain = knob.domain
    if isinstance(domain, Integer):
        return domain.high - domain.low + 1
    if not isinstance(domain, Choice):
        return 1
    numbers = [label for label in domain.labels if isinstance(label, float)]
    off = 0.0 in numbers and len(numbers) > 1  # a part that is not there is a structure
    return len(domain.labels) - len(numbers) + bool(numbers) + off
