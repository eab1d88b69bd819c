"""Check that this node's NVIDIA driver runs the torch that is installed: one line and exit code 1 where it does not.

A node without an NVIDIA GPU has nothing to check. Run by setup_node.sh, so that a node with an old driver is refused as
it is set up, not by its first trial.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

NVIDIA = "0x10de"
DISPLAY_CLASSES = ("0x0300", "0x0302")  # VGA and 3D controllers; NVIDIA's switches and audio parts are others
# The lowest Linux driver of each major version of CUDA: "minor version compatibility" in NVIDIA's notes on the toolkit.
LOWEST_DRIVER = {12: "525.60.13", 13: "580.65.06"}


def main() -> int:
    """Run the check; returns the exit code."""
    if not has_gpu():
        return 0
    import torch

    wrong = mismatch(torch.__version__, torch.version.cuda, driver()) or failure()
    if wrong:
        print(f"check_gpu.py: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


def has_gpu(devices: Path = Path("/sys/bus/pci/devices")) -> bool:
    """Tell whether an NVIDIA GPU is plugged in or lent to this container, with a driver or without."""
    if Path("/dev/nvidia0").exists():
        return True
    return any(
        (device / "vendor").read_text().strip() == NVIDIA and (device / "class").read_text().startswith(DISPLAY_CLASSES)
        for device in devices.glob("*")
    )


def driver() -> str | None:
    """The version of the driver, as ``nvidia-smi`` gives it; None without one that answers."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    except (OSError, subprocess.SubprocessError):
        return None
    matched = re.match(r"\d+(\.\d+)+", found.stdout)
    return matched.group() if matched else None


def mismatch(torch_version: str, cuda: str | None, driver_version: str | None) -> str | None:
    """Say what is wrong between a torch built for ``cuda`` and a driver; None where they fit."""
    if cuda is None:
        return f"this node has a GPU, but torch {torch_version} is built without CUDA"
    if driver_version is None:
        return f"this node has a GPU, but no NVIDIA driver answers: torch {torch_version} needs {needed(cuda)}"
    lowest = LOWEST_DRIVER.get(int(cuda.partition(".")[0]))
    if lowest is not None and numbers(driver_version) < numbers(lowest):
        return f"NVIDIA driver {driver_version} is too old for torch {torch_version}: it needs {needed(cuda)}"
    return None


def needed(cuda: str) -> str:
    lowest = LOWEST_DRIVER.get(int(cuda.partition(".")[0]))
    return f"{lowest} or later (CUDA {cuda})" if lowest else f"a driver for CUDA {cuda}"


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def failure() -> str | None:
    """Say how the first computation on each GPU fails, as on a card older than torch's kernels; None where all work."""
    import torch

    try:
        for number in range(torch.cuda.device_count()):
            (torch.ones(1, device=f"cuda:{number}") + 1).item()
    except RuntimeError as error:
        return f"GPU {number} does not run torch {torch.__version__}: {str(error).splitlines()[0]}"
    return None if torch.cuda.is_available() else f"torch {torch.__version__} finds no GPU that it can use"


if __name__ == "__main__":
    sys.exit(main())
