"""The size of the code is counted from the files as they are."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import trainable

ROOT = Path(trainable.__file__).parents[1]

CODE = '''"""A file of
nine lines."""


class Thing:
    def verb(self) -> int:
        def inner() -> int:
            return 1
        return inner()
'''


def test_files_and_functions_are_counted_where_they_stand(tmp_path: Path) -> None:
    package = tmp_path / "trainable" / "models"
    package.mkdir(parents=True)
    (package / "thing.py").write_text(CODE, encoding="utf-8")
    (package / "__init__.py").touch()
    rows = _rows(str(tmp_path))
    counted = ["2", "9", "4.5", "trainable/models/thing.py:", "9", "trainable/models/thing.py:6", "verb:", "4"]
    assert rows["trainable"] == rows["all"] == counted
    assert rows["tuner"] == ["0", "0", "-", "-", "-"]


def test_the_command_counts_the_packages() -> None:
    rows = _rows()
    assert list(rows) == ["package", "search_spaces", "tuner", "trainable", "results", "storage", "terminal", "all"]
    sizes = [int(rows[name][1].replace(",", "")) for name in list(rows)[1:]]
    assert sum(sizes[:-1]) == sizes[-1] > 5000
    assert rows["results"][0] == str(len(list((ROOT / "results").rglob("*.py"))))


def _rows(*arguments: str) -> dict[str, list[str]]:
    command = [sys.executable, "-m", "benchmarks.code_size", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {words[0]: words[1:] for words in map(str.split, io.StringIO(done.stdout))}
