"""Provenance of a result: the code and the libraries that made it."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("ray", "torch", "optuna", "numpy", "pandas", "pyarrow", "tiktoken")


def code_version() -> str:
    """The commit of this checkout, ``+`` behind it if files were changed; the package's version outside a checkout."""
    folder = Path(__file__).parent
    try:
        _git(folder, "ls-files", "--error-unmatch", Path(__file__).name)  # installed inside another project's checkout?
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return package_version("tuner")


def environment() -> dict[str, str]:
    """Versions of the interpreter, the platform and the libraries that decide results. No names of hosts or users."""
    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    return found | {name: package_version(name) for name in LIBRARIES}


def package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
