"""What the tests of scripts share: loading a script of deploy/, and commands that play others."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stand_in() -> Callable[..., None]:
    """Write executables into a folder for the PATH, each with its text in bash.

    One that waits does it ``while tested``: it ends with this process, or with the one that TEST_PID names.
    """
    tested = f'tested() {{ kill -0 "${{TEST_PID:-{os.getpid()}}}" 2> /dev/null && sleep 0.1; }}'

    def write(folder: Path, **texts: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(f"#!/usr/bin/env bash\n{tested}\n{text}\n")
            (folder / name).chmod(0o755)

    return write


@pytest.fixture
def script() -> Callable[[str], ModuleType]:
    """Load a Python script of deploy/, which is no package."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, ROOT / "deploy" / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
