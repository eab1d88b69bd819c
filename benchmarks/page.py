"""The page of results: how long it takes to write, its size, and how fast a browser opens and filters it.

``python -m benchmarks.page`` makes up campaigns of 24, 131 and 2,000 trials with training curves, writes the page of
each and opens it in a headless Chromium (Debian's ``chromium``, driven by playwright). Opening is until the verdict
and the first pictures are drawn; filtering is from the click on a status until the next frame that the browser shows.
Each is the median of five. The time to write is of the whole command, once, beginning with the start of Python.
With ``--campaigns 3`` it is the page that ``results.compare`` writes of three campaigns of each size.

Seconds are the processor's, and say little on another machine. So those to load the rows of trials and reports, and to
write, stand beside what pyarrow alone takes in the same run to read each of those files once (of the page: the curves'
files too), with none of them looked at: "x pyarrow" is the quotient.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.page")

import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.made_up_campaign import make
from results.page import PAGE
from terminal.command_line import OneLineParser
from terminal.console import Console

ROOT = Path(__file__).parents[1]
SIZES = (24, 131, 2000)
TIMES = 5
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KINDS = ("trials", "reports", "curves")
READING = """
import sys, time
from pathlib import Path
import pyarrow.parquet as pq
import results
folder = Path(sys.argv[1])
seconds = []
for kind in sys.argv[2:]:
    files = sorted((folder / kind).glob("*.parquet"))
    start = time.process_time()
    for file in files:
        pq.ParquetFile(file).read(use_threads=False)
    seconds.append(time.process_time() - start)
start = time.process_time()
results.load(folder)
print(*seconds, time.process_time() - start)
"""
FILTERED = """async ([section, group]) => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  window.scrollTo(0, document.querySelector(section).offsetTop - 60);
  await frame(); await frame();
  const start = performance.now();
  document.querySelector(group).click();
  await frame();
  return performance.now() - start;
}"""
OPENED = """async () => {
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now();
}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each size."""
    parser = OneLineParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="trials of the campaigns to make up")
    parser.add_argument("--points", type=int, default=250, help="steps of each training curve (default: 250)")
    parser.add_argument("--campaigns", type=int, default=1, metavar="N", help="of each size, on one page (default: 1)")
    options = parser.parse_args(arguments)
    console = Console()
    if options.campaigns > 1:
        return _compared(console, options)
    console.print(
        "trials    size MB   load CPU s   x pyarrow   write CPU s   x pyarrow   peak MiB   open ms   filter ms   "
        "change axis ms"
    )
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            campaign = make(Path(folder) / f"made-up-{size}", size, options.points)
            *alone, load = _read(campaign)
            written = _written(sum(alone), "results.report", str(campaign))
            page = campaign / PAGE
            seen = _in_a_browser(page, "#curves", '[data-group="stopped"]', "#scatter select")
            rows = [f"{load:10.2f}", f"{load / sum(alone[:2]):9.1f}"]
            cells = [f"{size:6,}", f"{page.stat().st_size / 1e6:9.2f}", *rows, *written, *seen]
            console.print("   ".join(cells))
            shutil.rmtree(campaign)
    return 0


def _compared(console: Console, options: Namespace) -> int:
    """Print a row for the page of several campaigns of each size."""
    console.print("campaigns   trials    size MB   write CPU s   x pyarrow   peak MiB   open ms   filter ms")
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            made = [make(Path(folder) / f"{size}-{seed}", size, 5, seed) for seed in range(options.campaigns)]
            page = Path(folder) / "page.html"
            alone = sum(sum(_read(campaign)[:-1]) for campaign in made)
            written = _written(alone, "results.compare", *map(str, made), "--html", str(page))
            opened, filtered, _ = _in_a_browser(page, "#boards", '[data-group="0"]', None)
            cells = [f"{len(made):9}", f"{size:6,}", f"{page.stat().st_size / 1e6:8.2f}", *written, opened, filtered]
            console.print("   ".join(cells))
    return 0


def _read(campaign: Path) -> list[float]:
    """Seconds of the processor that pyarrow alone takes for the files of each kind, and those of ``results.load``."""
    command = [sys.executable, "-c", READING, str(campaign), *KINDS]
    said = subprocess.run(command, cwd=ROOT, check=True, text=True, capture_output=True, env=_environment()).stdout
    return [float(word) for word in said.split()]


def _written(alone: float, *arguments: str) -> list[str]:
    """Seconds of the processor, also as a multiple of those in ``alone``, and the peak memory, of ``python -m`` with
    these arguments.
    """
    command = [sys.executable, "-m", *arguments]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=_environment())
    _, status, used = os.wait4(worker.pid, 0)
    worker.returncode = os.waitstatus_to_exitcode(status)
    assert worker.returncode == 0, worker.returncode
    seconds = used.ru_utime + used.ru_stime
    return [f"{seconds:11.1f}", f"{seconds / alone:9.1f}", f"{_peak(used):8.0f}"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _peak(used: resource.struct_rusage) -> float:
    """Peak resident memory in MiB; Linux counts it in KiB, macOS in bytes."""
    return used.ru_maxrss / 1024 / (1024 if sys.platform == "darwin" else 1)


def _in_a_browser(page: Path, section: str, group: str, axis: str | None) -> list[str]:
    """Milliseconds to open, to filter by a group while a section is seen, and to change an axis (a dash where there is
    none to change); dashes where there is no browser.
    """
    chromium = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        return ["     -", "        -", "        -"]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened: list[float] = []
        filtered: list[float] = []
        changed: list[float] = []
        for _ in range(TIMES):
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            tab.goto(page.as_uri())
            opened.append(tab.evaluate(OPENED))
            filtered.append(tab.evaluate(FILTERED, [section, group]))
            changed.append(_changed(tab, axis) if axis else math.nan)
            tab.close()
        browser.close()
    widths = (7, 9, 14)
    medians = [statistics.median(found) for found in (opened, filtered, changed)]
    return [f"{median:{width}.0f}" for median, width in zip(medians, widths, strict=True)]


def _changed(tab: Any, axis: str) -> float:
    """Milliseconds from the choice of another knob until it is drawn."""
    found: float = tab.evaluate(
        """async (axis) => {
          const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
          const list = document.querySelector(axis);
          list.scrollIntoView();
          await frame(); await frame();
          const start = performance.now();
          list.value = list.options[1].value;
          list.dispatchEvent(new Event('change'));
          await frame();
          return performance.now() - start;
        }""",
        axis,
    )
    return found


if __name__ == "__main__":
    sys.exit(main())
