"""The page of results: how long it takes to write, its size, and how fast a browser opens and filters it.

``python -m benchmarks.page`` makes up campaigns of 24, 131 and 2,000 trials with training curves, writes the page of
each and opens it in a headless Chromium (Debian's ``chromium``, driven by playwright). Opening is until the verdict
and the first pictures are drawn; filtering is from the click on a status until the next frame that the browser shows.
Each is the median of five. The time to write is of the whole command, once: seconds of the processor and of the clock.
With ``--campaigns 3`` it is the page that ``results.compare`` writes of three campaigns of each size.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.page")

import argparse
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.made_up_campaign import make
from results.page import PAGE
from terminal.console import Console

ROOT = Path(__file__).parents[1]
SIZES = (24, 131, 2000)
TIMES = 5
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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


def main() -> int:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="trials of the campaigns to make up")
    parser.add_argument("--points", type=int, default=250, help="steps of each training curve (default: 250)")
    parser.add_argument("--campaigns", type=int, default=1, metavar="N", help="of each size, on one page (default: 1)")
    options = parser.parse_args()
    console = Console()
    if options.campaigns > 1:
        return _compared(console, options)
    console.print("trials    size MB   write CPU s   write s   peak MiB   open ms   filter ms   change axis ms")
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            campaign = make(Path(folder) / f"made-up-{size}", size, options.points)
            written = _written("results.report", str(campaign))
            page = campaign / PAGE
            seen = _in_a_browser(page, "#curves", '[data-group="stopped"]', "#scatter select")
            cells = [f"{size:6,}", f"{page.stat().st_size / 1e6:9.2f}", *written, *seen]
            console.print("   ".join(cells))
            shutil.rmtree(campaign)
    return 0


def _compared(console: Console, options: argparse.Namespace) -> int:
    """Print a row for the page of several campaigns of each size."""
    console.print("campaigns   trials    size MB   write CPU s   write s   peak MiB   open ms   filter ms")
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            made = [make(Path(folder) / f"{size}-{seed}", size, 5, seed) for seed in range(options.campaigns)]
            page = Path(folder) / "page.html"
            written = _written("results.compare", *map(str, made), "--html", str(page))
            opened, filtered, _ = _in_a_browser(page, "#boards", '[data-group="0"]', None)
            cells = [f"{len(made):9}", f"{size:6,}", f"{page.stat().st_size / 1e6:8.2f}", *written, opened, filtered]
            console.print("   ".join(cells))
    return 0


def _written(*arguments: str) -> list[str]:
    """Seconds of the processor and of the clock, and the peak memory, of ``python -m`` with these arguments."""
    start = time.monotonic()
    command = [sys.executable, "-m", *arguments]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)})
    _, status, used = os.wait4(worker.pid, 0)
    worker.returncode = os.waitstatus_to_exitcode(status)
    assert worker.returncode == 0, worker.returncode
    return [f"{used.ru_utime + used.ru_stime:11.1f}", f"{time.monotonic() - start:7.1f}", f"{_peak(used):8.0f}"]


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
