"""The rows of large campaigns: their room, and the processor seconds and memory of whoever writes and reads them.

Each campaign is made up, and written as a driver writes it, by the product's own book and store: random configs of the
golf's proxy scale, each with a row as it begins, two reports and rows on its way, and the report and row of its end.
Each reader is a process of its own, from its start on, imports included: what those of pandas and of torch take by
themselves stands beside it. With ``--curves`` each trial has a training curve too, of the names and the size that one
of ``benchmarks.overhead`` has.

    python -m benchmarks.rows
    python -m benchmarks.rows --curves --readers results.report
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.rows")

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import optuna

from benchmarks.played_search import played_search
from benchmarks.simulated_campaign import played_result
from results.store.campaign_folder import Store
from search_spaces import load
from search_spaces.space import Space
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from tuner.campaign.trials import Ledger
from tuner.proposals.sampler import suggest
from tuner.search_loop import Search

SPACE, SCALE = "parameter_golf", "proxy"
SIZES = (1_000, 10_000)
GROUPS = ("embedding", "matrix", "scalar")
EACH_STEP = ("loss", "gradient_norm", *(f"learning_rate.{group}" for group in GROUPS))
MONITORED = (
    *(f"{norm}.{group}" for norm in ("update_norm", "weight_norm") for group in GROUPS),
    "clipped_share",
    *(f"attention_entropy.{layer}.{head}" for layer in range(2) for head in range(8)),
    "largest_logit.output",
    "largest_logit.attention",
)
READERS = {
    "import pandas": "import pandas",
    "import torch": "import torch",
    "pandas.read_parquet": "import pandas; assert len(pandas.read_parquet(folder + '/trials')) == count",
    "results.load": "import results; assert len(results.load(folder).rows) == count",
    "results.report": "import results.report as r; assert r.main([folder]) == 0",
    "tuner.status": "import tuner.status as s; assert s.main([folder]) == 0",
    "tuner.run --list": "import tuner.run as r; assert r.main(['--list', '--results', os.path.dirname(folder)]) == 0",
    "a resume's rows": "from benchmarks.rows import restore; assert restore(folder) == count",
    "a resume's search": "from benchmarks.rows import resume; assert resume(folder) == count",
    "its end": "from benchmarks.rows import conclude_again; assert conclude_again(folder) == count",
}


def write(folder: Path, trials: int, curves: bool = False) -> float:
    """Write a finished campaign of so many trials; the processor seconds of each that the book and the store took."""
    space = load(SPACE)
    base = space.scale(SCALE).base
    record = {
        "space": SPACE, "scale": SCALE, "objective": space.objective, "objectives": [space.objective],
        "trials": trials, "created_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    book = Ledger(Store.create(folder, record, space.column_types()), space, base, "made-up", "made-up")
    spent = 0.0
    for number in range(trials):
        values = drawn(space, number) if number else book.base_values
        begun = time.process_time()
        try:
            config = space.config(base, values)
        except ValueError as error:
            book.refuse(values, str(error), number)
            continue
        entry = book.open(values, config, number)
        book.start(entry.key)
        end = 2.5 + crc32(entry.key.encode()) / 2**32
        for part in (0.25, 0.5, 1.0):
            done = part == 1.0
            result = played_result(config, part * config.budget.amount, end + 1 - part, done=done)
            book.report(entry.key, {**result, "curve": _curve(end)} if curves and done else result)
        book.close(entry.key, "completed")
        book.store.settle()
        spent += time.process_time() - begun
    book.store.settle(at_once=True)
    return spent / trials


def _curve(end: float) -> dict[str, Any]:
    """Make up the curve of a run of four steps, as a worker sends it: some names at each step, the monitors at one."""
    steps = [1, 2, 3, 4]
    each = [float(end + 1 / step) for step in steps]
    values = {name: each for name in EACH_STEP} | {name: [end] for name in MONITORED}
    tokens, units = [256 * step for step in steps], dict.fromkeys(values, "nats")
    return {
        "steps": steps, "tokens": tokens, "values": values, "units": units,
        "measured_at": {name: [steps[-1]] for name in MONITORED},
    }  # fmt: skip


def drawn(space: Space, number: int) -> dict[str, Any]:
    """Draw the knobs of a trial, those that act."""
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=number)).ask()
    values = {knob.path: suggest(trial, knob.path, knob.domain) for knob in space.knobs}
    return {knob.path: values[knob.path] for knob in space.knobs if space.active(knob, values)}


def restore(folder: str) -> int:
    """Take what a resume takes from a campaign's rows; how many trials there were."""
    space, store = load(SPACE), Store.open(Path(folder))
    store.set_damaged_aside(_refused)
    book = Ledger(store, space, space.scale(SCALE).base, "made-up", "made-up")
    book.restore()
    return len(book.entries)


def resume(folder: str) -> int:
    """Begin a search where it ended, without Ray and data; how many trials there were. Nothing is left to do."""
    return len(_ended_search(folder).ledger.entries)


def conclude_again(folder: str) -> int:
    """Resume it so with all that a driver has loaded, and end it: the lines, and the page."""
    import ray.tune  # noqa: F401

    import tuner.cluster.ray_tune
    import tuner.start  # noqa: F401
    from tuner.cli.summary import conclude

    search = _ended_search(folder)
    conclude(Console(), search)
    return len(search.ledger.entries)


def _ended_search(folder: str) -> Search:
    space, store = load(SPACE), Store.open(Path(folder))
    store.set_damaged_aside(_refused)
    trials = int(store.campaign["trials"])
    search = played_search(space, space.scale(SCALE).base, store, trials, 2, 0)
    assert search.exhausted
    search.abandon()
    return search


def _refused(place: object, why: str) -> None:
    raise AssertionError(f"{place}: {why}")


def read(script: str, folder: Path, count: int) -> tuple[float, float]:
    """Processor seconds and peak MiB of a process that reads the campaign."""
    lines = (
        "import os, resource, sys",
        f"folder, count = {str(folder)!r}, {count}",
        "sys.stdout = open(os.devnull, 'w')",
        script,
        # Not the peak of getrusage, which begins at that of the process that started this one.
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))",
        "spent = resource.getrusage(resource.RUSAGE_SELF)",
        "print(spent.ru_utime + spent.ru_stime, int(peak.split()[1]) / 1024, file=sys.__stdout__)",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table for each size."""
    parser = OneLineParser(prog="python -m benchmarks.rows", description=__doc__)
    parser.add_argument("--trials", type=at_least_one, nargs="+", default=list(SIZES))
    parser.add_argument("--curves", action="store_true", help="a training curve for each trial too")
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    options = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    console = Console()
    for trials in options.trials:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "runs" / "made-up"
            seconds = write(folder, trials, options.curves)
            files = [path for path in folder.rglob("*") if path.is_file()]
            size = sum(path.stat().st_size for path in files)
            count = len(Store.open(folder).trials())
            console.print(f"{count:,} trials: {len(files)} files, {size / count:,.0f} bytes a trial")
            console.print(f"  written in {1000 * seconds:.1f} ms a trial")
            for name in options.readers:
                took, most = read(READERS[name], folder, count)
                console.print(f"  {name:<25} {took:6.2f} s {most:6.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
