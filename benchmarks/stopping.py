"""Early stopping alone, on pools of recorded curves: ``python -m benchmarks.stopping [FOLDER...]``.

    python -m benchmarks.stopping ../shared/data/nanogpt_shakespeare_128 ../shared/data/modded_nanogpt

A campaign is a number of a pool's configs in an order of arrival, each trained once, on 1 and on 4 slots, judged at a
quarter and at a half of the budget. *Cost* is what it trains, as a part of all of them to their ends. *Regret* is by
how much the best of those that came to their end is behind the best of all, as a part of the gap between the pool's
middle and best config. *Fewer* is the regret of what the same cost buys without a rule: the first of the same trials,
each to its end. All rules see the same orders. FOLDERs are public curves beside the pools in this repository: those of
``nanogpt_shakespeare_128`` and of ``modded_nanogpt``.

``predictive`` is the tuner's default, whose stopped trials may go on again; what they train then counts. Its threshold
for that was chosen on every second pool of a group; *held out* are the others. ``for good`` is the same without that,
``by shape`` (``--rules``) sees how a value fell beside the value, and is not built.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.stopping")

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from rich.table import Table as Printed

from benchmarks import stopping_pools
from benchmarks.stopping_pools import PARTS, RUNGS, Pool
from benchmarks.stopping_rules import RULES, TRIED, Rule
from benchmarks.surrogate import trainings
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.counted import counted
from terminal.option_numbers import at_least_one
from trainable.seeds import derived
from tuner.plan.simulated_clock import SimulatedClock

ORDERS, QUICK_ORDERS, TRIALS, SLOTS = 200, 20, 24, (1, 4)
JITTER = 0.02  # by so much trials differ in speed
ORDERED = 0.5  # rank correlation at the first rung, from which a pool's values there order its ends


Found = Mapping[str, Sequence[Sequence["Played"]]]  # rule -> pool by its place -> its campaigns


@dataclass(frozen=True)
class Played:
    """One campaign under a rule."""

    cost: float
    regret: float
    fewer: float  # regret of the same cost without a rule
    lost: bool  # whether the best config was


def play(pool: Pool, order: Sequence[int], make: Callable[[], Rule], slots: int, seed: int) -> Played:
    """Train the configs of ``order``, and judge them on their way."""
    rule, clock, left, speeds = make(), SimulatedClock(), iter(order), random.Random(derived(seed, "speeds"))
    trained, finished = 0.0, list[float]()

    def train(config: int, before: int = 0) -> Iterator[float]:
        nonlocal trained
        curve, slowness = pool.curves[config], speeds.uniform(1 - JITTER, 1 + JITTER)
        for part in (*(part for part in rule.parts if part > before), PARTS):
            yield (part - before) / PARTS * slowness
            trained, before = trained + (part - before) / PARTS, part
            if part < PARTS and rule.stops(str(config), part, curve):
                return
        finished.append(float(curve[-1]))
        rule.finished(str(config), curve)

    def start() -> Iterator[float] | None:
        nonlocal begun
        again = rule.promoted()
        config = next(left, None) if again is None else int(again[0])
        if config is None:
            return None
        begun += 1
        return train(config, 0 if again is None else again[1])

    begun = -1
    while begun:  # by the last ends of one round others may go on
        begun = 0
        clock.run(start, slots)
    ends = [float(pool.ends[config]) for config in order]
    regret = (min(finished) - min(ends)) / pool.gap
    return Played(trained / len(order), regret, _of_first(ends, trained) / pool.gap, regret > 0)


def _of_first(ends: Sequence[float], trained: float) -> float:
    """Regret of the first so many of the trials; between two numbers of them as near as it is to each."""
    few = min(len(ends), max(1, int(trained)))
    one, other = (min(ends[:number]) - min(ends) for number in (few, min(len(ends), few + 1)))
    return one + (trained - few) * (other - one) if trained > few else one


def campaigns(pool: Pool, make: Callable[[], Rule], slots: int, trials: int, orders: int) -> list[Played]:
    """One for each order of arrival; a pool with more configs gives other ones each time."""
    found = []
    for seed in range(orders):
        draw = random.Random(derived(seed, "order of arrival"))
        order = draw.sample(range(len(pool.curves)), min(trials, len(pool.curves)))
        found.append(play(pool, order, make, slots, seed))
    return found


def print_pools(console: Console, pools: Sequence[Pool]) -> None:
    """Print how well the rungs of the pools order their ends."""
    printed = Printed(title="Pools", title_justify="left")
    for heading in ("pool", "runs", "order at 1/4", "at 1/2", "ahead of the best at 1/4", "at 1/2"):
        printed.add_column(heading, justify="left" if heading == "pool" else "right")
    for pool in pools:
        found = [pool.orders(rung) for rung in RUNGS]
        orders = ["-" if one is None else f"{one.value:.2f}" for one in found]
        printed.add_row(pool.name, str(len(pool.curves)), *orders, *(str(pool.best_at(rung)) for rung in RUNGS))
    console.print(printed, soft_wrap=False)


def is_ordered(pool: Pool) -> bool:
    """Tell whether the values at the first rung order the ends."""
    found = pool.orders(RUNGS[0])
    return found is not None and found.value >= ORDERED


def print_costs(console: Console, pools: Sequence[Pool], found: Found, slots: int, about: str) -> None:
    """A row a pool, with its means under each rule; then the means of the pools whose values order the ends, or not."""
    title = f"cost and regret on {counted(slots, 'slot')}; {about}"
    printed = Printed(title=title, title_justify="left")
    printed.add_column("pool", no_wrap=True)
    for rule in found:
        printed.add_column(rule, justify="right", no_wrap=True)
    for place, pool in enumerate(pools):
        printed.add_row(pool.name, *(_means([campaigns[place]]) for campaigns in found.values()))
    groups = {"order at 1/4 of .5 and more": (True,), "of less": (False,), "all": (True, False)}
    for name, kinds in groups.items():
        places = [place for place, pool in enumerate(pools) if is_ordered(pool) in kinds]
        if not places:
            continue
        chosen = [[campaigns[place] for place in places] for campaigns in found.values()]
        printed.add_section()
        printed.add_row(f"{counted(len(places), 'pool')}, {name}", *map(_means, chosen))
        printed.add_row("  fewer, at the same cost", *(f"{_mean('fewer', groups):.3f}" for groups in chosen))
        printed.add_row("  the best is lost", *(f"{_mean('lost', groups):.0%}" for groups in chosen))
        if len(kinds) == 1 and len(places) > 1:
            held_out = [[campaigns[place] for place in places[1::2]] for campaigns in found.values()]
            printed.add_row(f"  held out: {counted(len(places) // 2, 'pool')}", *map(_means, held_out))
    console.print(printed, soft_wrap=False)


def _mean(of: str, groups: Sequence[Sequence[Played]]) -> float:
    """The mean over pools of their means."""
    return fmean(fmean(float(getattr(played, of)) for played in group) for group in groups)


def _means(groups: Sequence[Sequence[Played]]) -> str:
    return f"{_mean('cost', groups):.2f} {_mean('regret', groups):.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; exit code 2 where a folder cannot be read."""
    parser = OneLineParser(
        prog="python -m benchmarks.stopping", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=local_argument, metavar="FOLDER")
    parser.add_argument("--trials", type=at_least_one, default=TRIALS, help="of a campaign (default: %(default)s)")
    parser.add_argument("--orders", type=at_least_one, default=ORDERS, help="of arrival (default: %(default)s)")
    parser.add_argument(
        "--trainings",
        type=local_argument,
        default=trainings.FILE,
        metavar="FILE",
        help="of benchmarks.surrogate: its table, or the lines of its recording",
    )
    parser.add_argument(
        "--rules", nargs="+", choices=[*RULES, *TRIED], default=list(RULES), metavar="NAME",
        help=f"those to play (default: {'; '.join(RULES)}); beside them {'; '.join(TRIED)}",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ORDERS} orders")
    given = parser.parse_args(arguments)
    orders = QUICK_ORDERS if given.quick else given.orders
    try:
        pools = [
            *stopping_pools.shipped(given.trainings),
            *(pool for folder in given.folders for pool in stopping_pools.read(folder)),
        ]
    except (OSError, ValueError) as error:
        return parser.refuse(error)
    pools = [pool for pool in pools if math.isfinite(pool.gap) and pool.gap > 0]
    rules = {name: {**RULES, **TRIED}[name] for name in given.rules}
    console = Console(width=None if Console().is_terminal else 240, goes_on=True)
    print_pools(console, pools)
    for slots in SLOTS:
        found: Found = {
            name: [campaigns(pool, make, slots, given.trials, orders) for pool in pools] for name, make in rules.items()
        }
        print_costs(console, pools, found, slots, f"{given.trials} trials, {orders} orders of arrival")
    return 0


if __name__ == "__main__":
    sys.exit(main())
