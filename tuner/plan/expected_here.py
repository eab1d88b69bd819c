"""Expectation of a real start, before Ray: only where a limit or the hours can be held against it, and in moments."""

from __future__ import annotations

from trainable.runtime import Runtime
from tuner.cluster import capacity, gpus
from tuner.command import Start
from tuner.plan import cost as plan
from tuner.plan import wall_time
from tuner.plan.bench import vocab_size
from tuner.plan.card_speed import estimated
from tuner.plan.compiling import Compiling
from tuner.plan.foreseen import Foreseen, measures_of
from tuner.plan.known_devices import Hardware, card
from tuner.plan.left import Left
from tuner.plan.throughput import speeds, takes_long
from tuner.plan.trial_cost import RAY_SECONDS
from tuner.question import Question

MEASURES = ("step_seconds", "train_seconds", "train_minutes", "peak_memory_bytes")  # that are expected
DAY_SECONDS = 86_400.0
SLOWEST_FLOPS_PER_SECOND = 1e9  # of a core: any is quicker
QUICK_SECONDS = 0.2  # of timing: a limit that is missed by far is seen in that


def planned_costs(
    question: Question, slots: int, hardware: Hardware, compiling: Compiling, pass_tokens: int | None
) -> tuple[str, str, plan.Plan, plan.Plan]:
    """The stopper and the fidelity of a search, and its plan with the machine at its best and as busy as it is now."""
    spec = question.spec
    judged = question.space.measured_on_the_way and spec.stopper is not None
    stops, fidelity = (str(spec.stopper), spec.fidelity) if judged else ("none", "truncate")
    cost, late = (
        plan.plan_search(
            question.base,
            question.trials,
            slots,
            stops,
            speed,
            fidelity,
            hardware.beside(question.base, speed, compiling.seconds),
            spec.reports or 0,
            pass_tokens,
        )
        for speed in (hardware.tokens_per_second, hardware.usual or hardware.tokens_per_second)
    )
    return stops, fidelity, cost, late


def expected_memory(question: Question, on_gpu: bool) -> float | None:
    """Bytes of a GPU that a trial like the base needs, counted; None on a CPU, where nobody measures them."""
    if not on_gpu:
        return None
    from tuner.cluster.device_memory import needed_by

    return float(needed_by(question.base, bool(question.spec.checkpoint_activations)).total)


def is_asked_for(question: Question, start: Start) -> bool:
    """Tell whether a start has limits or hours that an expectation can be held against, and runs on this machine."""
    limited = any(limit.measure in MEASURES for limit in question.space.constraints)
    return start.address is None and (limited or start.hours is not None)


def may_take_a_day(question: Question, slots: int) -> bool:
    """Tell whether a search may take over a day, by its arithmetic alone and a core that is slower than any."""
    tokens = plan.tokens_of(question.base)
    if tokens is None:
        seconds = question.base.budget.seconds or 0.0
    else:
        each = question.base.model.flops_per_token(vocab_size(question.base), question.base.data.seq_len)
        seconds = tokens * each / SLOWEST_FLOPS_PER_SECOND
    return question.replay is None and seconds * question.trials / slots > DAY_SECONDS


def expected(
    left: Left, here: capacity.Cluster, start: Start, compiling: Compiling, pass_tokens: int | None
) -> Foreseen | None:
    """Foresee a start on this machine; None where no trials are left, or no moment's measurement tells."""
    question = left.question
    if not question.trials:
        return None
    hardware = _hardware(question, here, compiling)
    if hardware is None or hardware.tokens_per_second is None:
        return None
    stops, fidelity, cost, _ = planned_costs(question, here.slots, hardware, compiling, pass_tokens)
    measures = measures_of(question.base, cost, hardware.tokens_per_second, expected_memory(question, here.has_gpu))
    wanted = start.hours is not None or may_take_a_day(question, here.slots)
    if question.replay is not None or cost.whole_seconds is None or not wanted:
        return Foreseen(measures, cost.whole_seconds, measured=left.measured)
    search = RAY_SECONDS + wall_time.expect(cost, stops, fidelity).wall * cost.whole_seconds
    waves = [left.confirmation.waves(here.slots), left.ablation.waves(here.slots)]
    each = cost.run_seconds or 0.0
    fewest, most = (search + sum(ends) * each for ends in zip(*waves, strict=True))
    return Foreseen(measures, cost.whole_seconds, search, (fewest, most), left.measured)


def _hardware(question: Question, here: capacity.Cluster, compiling: Compiling) -> Hardware | None:
    """The speed of a trial on this machine: of its GPU by the name, of a core by a short measurement."""
    if here.has_gpu:
        try:
            return estimated(question.base, card(gpus.name()), compiles=compiling.compiles)
        except (ValueError, OSError):  # a card that no table has, or that does not say
            return None
    runtime = Runtime.detect(precision=question.base.number_format)
    if takes_long(question.base, runtime) is not None:
        return None
    found = speeds(question.base, runtime, timed_seconds=QUICK_SECONDS)
    return None if found is None else Hardware(found.best, "", "a core of this machine")
