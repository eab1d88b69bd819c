"""Cores and memory of this machine that trials may use: what the hardware has, less what is not this process's.

A container, a batch job and a desktop session each see all the hardware, and are stopped or slowed by the kernel where
they use more than their share: the CPU affinity, the quotas of control groups (cgroup v1 and v2; of the process's own
group and all around it the smallest counts), and what Slurm has given to the job. Every reader takes the root of the
file system, so that a test can make one up. Where the system has no such files (macOS), the hardware is the limit.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FILE_SYSTEM = Path("/")
MEGABYTE = 2**20  # Slurm's unit
UNLIMITED = 2**60  # bytes: cgroup v1 writes about 2^63 where there is no limit


@dataclass(frozen=True)
class Share:
    """Share of the machine that may be used, and what limits it."""

    amount: float  # cores, or bytes
    why: str


def cores(root: Path = FILE_SYSTEM, variables: Mapping[str, str] = os.environ) -> Share:
    """The cores that may be used at a time, a whole number of at least one, and what allows no more."""
    found = min(core_limits(root, variables), key=lambda share: share.amount)
    return Share(max(1, math.floor(found.amount)), found.why)


def memory(root: Path = FILE_SYSTEM, variables: Mapping[str, str] = os.environ) -> Share | None:
    """The bytes that may still be used, and what allows no more; None where nothing tells."""
    return min(memory_limits(root, variables), key=lambda share: share.amount, default=None)


def core_limits(root: Path, variables: Mapping[str, str]) -> list[Share]:
    """List the limits on cores, the machine itself first."""
    found = [Share(os.cpu_count() or 1, "the machine has no more")]
    if hasattr(os, "sched_getaffinity"):
        found.append(Share(len(os.sched_getaffinity(0)), "the CPU affinity of this process"))
    for folder, name in _groups(root, "cpu"):
        if (quota := _cpu_quota(folder)) is not None:
            found.append(Share(quota, f"the CPU quota of cgroup {name}"))
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        if (given := _whole(variables.get(name))) is not None:
            found.append(Share(given, f"the Slurm job ({name})"))
            break  # of a task's share and the node's, the task's
    return found


def memory_limits(root: Path, variables: Mapping[str, str]) -> list[Share]:
    """List the limits on memory, in bytes that are still free."""
    found = []
    if (free := _free_memory(root)) is not None:
        found.append(Share(free, "the machine has no more free"))
    for folder, name in _groups(root, "memory"):
        if (limit := _memory_limit(folder)) is not None:
            found.append(Share(max(0, limit - _memory_used(folder)), f"the memory limit of cgroup {name}"))
    node, core = _whole(variables.get("SLURM_MEM_PER_NODE")), _whole(variables.get("SLURM_MEM_PER_CPU"))
    if node:  # 0 is all of the node's
        found.append(Share(node * MEGABYTE, "the Slurm job (SLURM_MEM_PER_NODE)"))
    elif core and (count := _whole(variables.get("SLURM_CPUS_ON_NODE"))) is not None:
        found.append(Share(core * count * MEGABYTE, "the Slurm job (SLURM_MEM_PER_CPU)"))
    return found


# --- control groups ---------------------------------------------------------------------------------------------------


def _groups(root: Path, controller: str) -> Iterator[tuple[Path, str]]:
    """The folders of the process's control group and of all around it, with their names, for one controller."""
    mounts = _mounts(root, controller)
    for version, path in _own_groups(root, controller).items():
        for mounted, point in mounts.get(version, []):
            inside = _below(path, mounted)
            for part in (inside, *inside.parents):
                yield root / point.relative_to("/") / part, f"/{part if part.parts else ''}"


def _own_groups(root: Path, controller: str) -> dict[int, PurePosixPath]:
    """Version -> the process's group, as /proc/self/cgroup has it: ``HIERARCHY:CONTROLLERS:PATH``, 0:: of version 2."""
    found = {}
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            found[2] = PurePosixPath(path)
        elif controller in controllers.split(","):
            found[1] = PurePosixPath(path)
    return found


def _mounts(root: Path, controller: str) -> dict[int, list[tuple[PurePosixPath, PurePosixPath]]]:
    """Version -> (which group, where it is mounted), as /proc/self/mountinfo has it (see proc_pid_mountinfo(5))."""
    found: dict[int, list[tuple[PurePosixPath, PurePosixPath]]] = {}
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        place = PurePosixPath(_unescaped(fields[3])), PurePosixPath(_unescaped(fields[4]))
        if kind[0] == "cgroup2":
            found.setdefault(2, []).append(place)
        elif kind[0] == "cgroup" and controller in kind[2].split(","):
            found.setdefault(1, []).append(place)
    return found


def _below(path: PurePosixPath, mounted: PurePosixPath) -> PurePosixPath:
    """A group relative to the one that is mounted; of one outside of it (a namespace's, a container's), the mounted."""
    try:
        inside = path.relative_to(mounted)
    except ValueError:
        return PurePosixPath()
    return PurePosixPath() if ".." in inside.parts else inside


def _unescaped(field: str) -> str:
    """A field of mountinfo, where a space is ``\\040``."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def _cpu_quota(folder: Path) -> float | None:
    """Cores of a group: ``cpu.max`` (QUOTA PERIOD in microseconds, or max), in version 1 two files, -1 for none."""
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    each, every = _whole(quota), _whole(period or "100000")
    return each / every if each and every else None


def _memory_limit(folder: Path) -> int | None:
    """Bytes of a group; beyond ``memory.high`` it is slowed to a halt, beyond the others its processes are killed."""
    limits = [_whole(_text(folder / name)) for name in ("memory.max", "memory.high", "memory.limit_in_bytes")]
    return min((limit for limit in limits if limit is not None and limit < UNLIMITED), default=None)


def _memory_used(folder: Path) -> int:
    """Bytes of a group in use, without files that the kernel would let go of."""
    used = _whole(_text(folder / "memory.current") or _text(folder / "memory.usage_in_bytes")) or 0
    stat = dict(line.partition(" ")[::2] for line in _lines(folder / "memory.stat"))
    return max(0, used - (_whole(stat.get("total_inactive_file") or stat.get("inactive_file")) or 0))


def _free_memory(root: Path) -> int | None:
    """Bytes that new processes may take without swapping; where the kernel does not tell, all that there are."""
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    with suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def _lines(path: Path) -> list[str]:
    return _text(path).splitlines()


def _text(path: Path) -> str:
    """A file of the kernel's; empty where there is none that may be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _whole(text: str | None) -> int | None:
    """A count, None for anything else: max, -1, nothing."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None
