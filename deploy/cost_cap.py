"""Say what a cluster file may cost at most, and refuse it above a cap:

    python deploy/cost_cap.py cluster.yaml --price head=0.10 --price gpu_worker=0.81 --hours 48 --cap 350

Prices are per machine and hour: the region's on-demand price, which a spot machine never exceeds. The most machines at
a time are what the file allows (max_workers, over all types and of each). ``--hours`` is how long the head may live: at
least the last argument of end_when_idle.sh, which a file must have. Disks and traffic come on top: some percent.
Exit codes: 0 below the cap, 2 above it or bad input.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--price", action="append", default=[], metavar="TYPE=P", help="of a node type, per hour")
    parser.add_argument("--hours", type=positive, required=True, metavar="H", help="how long the cluster may live")
    parser.add_argument("--cap", type=positive, required=True, metavar="P", help="the most it may cost in that time")
    given = parser.parse_args(arguments)
    try:
        cluster = yaml.safe_load(given.file.read_text())
        check_hours(cluster, given.hours)
        prices = dict(price(text) for text in given.price)
        hourly = worst_hour(cluster, prices)
        print(f"at most {hourly:.2f} an hour, {hourly * given.hours:.2f} in {given.hours:g} hours, of {given.cap:.2f}")
        if hourly * given.hours > given.cap:
            raise ValueError(advice(cluster, prices, given.cap / given.hours))
    except (ValueError, OSError, yaml.YAMLError) as error:
        print(f"cost_cap.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 < value < math.inf):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def price(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, positive(value)
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"--price {text!r}: {error}") from None


def worst_hour(cluster: Mapping[str, Any], prices: Mapping[str, float]) -> float:
    """The head, and as many of the dearest workers as the file allows."""
    types, head = cluster.get("available_node_types", {}), cluster.get("head_node_type")
    if not types:
        raise ValueError("the file has no available_node_types: machines of your own have no price")
    if unknown := sorted(set(prices) - set(types)):
        raise ValueError(f"--price names {unknown[0]!r}, which is no node type of the file: {', '.join(types)}")
    if missing := sorted(set(types) - set(prices)):
        raise ValueError(f"--price of {missing[0]!r} is missing")
    left, cost = int(cluster["max_workers"]), prices[str(head)]
    for name in sorted(set(types) - {head}, key=lambda name: -prices[name]):
        count = min(left, int(types[name].get("max_workers", left)))
        left, cost = left - count, cost + count * prices[name]
    return cost


def advice(cluster: Mapping[str, Any], prices: Mapping[str, float], hourly_cap: float) -> str:
    """Name the largest ``max_workers`` below the cap."""
    fitting = [
        n for n in range(int(cluster["max_workers"])) if worst_hour({**cluster, "max_workers": n}, prices) <= hourly_cap
    ]
    if not fitting:
        return "that is above the cap, and so is the head alone"
    return f"that is above the cap: max_workers: {fitting[-1]} would be below it"


def check_hours(cluster: Mapping[str, Any], hours: float) -> None:
    """Raise a ValueError where the head of the file does not end by itself within ``hours``."""
    commands = "\n".join(cluster.get("head_setup_commands", []))
    found = re.search(r"end_when_idle\.sh install head \d+ (\d+)", commands)
    if found is None:
        raise ValueError(
            "head_setup_commands has no `end_when_idle.sh install head MINUTES HOURS`: nothing ends the head"
        )
    if int(found.group(1)) > hours:
        raise ValueError(f"--hours is {hours:g}, but the head of the file lives for up to {found.group(1)}")


if __name__ == "__main__":
    sys.exit(main())
