"""Programs that run as on a machine which lacks some packages: the beginning of their text."""

from __future__ import annotations

from collections.abc import Collection


def without(packages: Collection[str]) -> str:
    """Lines that hide the packages from every import below them."""
    return f"""
import sys
from importlib.machinery import PathFinder

class Installed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        absent = name.partition(".")[0] in {sorted(packages)}
        return None if absent else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Installed
"""
