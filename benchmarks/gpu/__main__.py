"""The training core on a CUDA device, right and fast: ``python -m benchmarks.gpu``; docs/gpu/README.md reads it.

One JSON object at the end on stdout, and after each section in ``--out``. A section that fails is in it with its error,
and the others go on. Sizes are those of one data-centre GPU; ``--device cpu --quick`` shows that the check itself runs.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.gpu")

import argparse
import functools
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch

from benchmarks.gpu.context import Context
from benchmarks.gpu.packed_worker import work
from benchmarks.gpu.sections import SECTIONS, Check, chosen
from storage.location import local_argument
from storage.target import check_file_to_write
from terminal.command_line import OneLineParser
from terminal.complaint import complain
from terminal.console import Console
from terminal.option_numbers import positive, whole_number

PROGRAM = "python -m benchmarks.gpu"
DONE, FAILED = 0, 1
DEADLINE_SECONDS = 460.0
LONGEST_SECONDS = 86_400
MOST_THREADS = 8


def parser() -> OneLineParser:
    """The command line; what one process of ``packing`` is told is not shown."""
    found = OneLineParser(
        prog=PROGRAM,
        description="Check the training core on a CUDA device: right and fast. Prints one JSON object.",
        epilog=f"Sections: {', '.join(SECTIONS)}. Exit codes: 0 all ran, 1 a section failed, 2 bad input.",
    )
    found.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    found.add_argument("--quick", action="store_true", help="tiny sizes: does the check itself run?")
    found.add_argument("--out", type=local_argument, metavar="FILE", help="written anew after each section")
    found.add_argument("--sections", type=_names, metavar="A,B", default=[], help="only these (default: all)")
    found.add_argument("--skip", type=_names, metavar="A,B", default=[], help="all but these")
    found.add_argument(
        "--deadline",
        type=positive("seconds", LONGEST_SECONDS),
        metavar="S",
        default=DEADLINE_SECONDS,
        help=f"start no section later than so many seconds (default: {DEADLINE_SECONDS:g})",
    )
    found.add_argument("--worker", type=local_argument, help=argparse.SUPPRESS)  # the folder it is spoken to by
    found.add_argument("--number", type=whole_number(0, 99), default=0, help=argparse.SUPPRESS)
    return found


def _names(text: str) -> list[str]:
    return text.split(",")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check; returns the exit code."""
    begun = time.perf_counter()
    command = parser()
    options = command.parse_args(arguments)
    try:
        names = chosen(options.sections, options.skip)
        if options.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("--device is cuda but there is none here: --device cpu --quick shows that the check runs")
        if options.out is not None:
            check_file_to_write("--out", options.out)
        with program.raising(PROGRAM), _set_up(options) as context:
            if options.worker is not None:
                work(context, options.worker, options.number)
                return DONE
            check = Check(context, begun, options.deadline, options.out, Console(stderr=True, goes_on=True).print)
            found = check.run(names)
    except (ValueError, OSError) as error:
        return command.refuse(error)
    except KeyboardInterrupt as ended:
        complain(PROGRAM, program.INTERRUPTION)
        return program.exit_code(ended)
    Console().print(json.dumps(found))
    return FAILED if any("failed" in found[name] for name in names) else DONE


@contextmanager
def _set_up(options: argparse.Namespace) -> Iterator[Context]:
    """Threads as a trial has them, and a folder that is removed again."""
    alone = options.worker is None and not options.quick
    torch.set_num_threads(min(MOST_THREADS, os.cpu_count() or 1) if alone else 1)
    with tempfile.TemporaryDirectory(prefix="gpu_check.") as scratch, compiler(options.device):
        yield Context(options.device, options.quick, Path(scratch))


@contextmanager
def compiler(device: str) -> Iterator[None]:
    """Stop ``torch.compile``, within the block, at the graphs on a CPU: to make C++ of them takes minutes."""
    if device != "cpu":
        yield
        return
    with mock.patch.object(torch, "compile", functools.partial(torch.compile, backend="aot_eager")):
        yield


if __name__ == "__main__":
    sys.exit(main())
