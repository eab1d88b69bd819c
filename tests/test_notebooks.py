"""The notebooks in ``examples/``: each runs in a real kernel without a warning, and says what is kept of it."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
LARGEST = 400_000  # bytes, pictures included
MOST_CELLS = 40
TEXTS = ("text/plain", "text/html", "text/markdown")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def kept(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def codes(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell: Any) -> list[str]:
    """All texts that a cell gives, each on its own."""
    found = []
    for output in cell.outputs:
        found += [output.text] if output.output_type == "stream" else [output.data.get(kind, "") for kind in TEXTS]
    return found


def pictures(cell: Any) -> int:
    return sum("image/png" in output.get("data", {}) for output in cell.outputs)


def same(text: str, other: str) -> bool:
    """Tell whether two texts say the same: numbers may differ by one in their last digit, as on another processor."""
    words, numbers = " ".join(NUMBER.sub("#", text).split()), NUMBER.findall(text)
    other_words, others = " ".join(NUMBER.sub("#", other).split()), NUMBER.findall(other)
    return words == other_words and all(_near(one, two) for one, two in zip_longest(numbers, others, fillvalue="nan"))


def _near(one: str, two: str) -> bool:
    digits = max(len(number.partition(".")[2]) for number in (one, two))
    return one == two or (digits > 0 and abs(float(one) - float(two)) < 1.5 * 10**-digits)


@pytest.mark.parametrize(
    ("text", "other", "equal"),
    [
        ("sd  0.0107", "sd 0.0108", True),
        ("sd 0.0107", "sd 0.0109", False),
        ("12 runs", "13 runs", False),
        ("12 runs", "12 rows", False),
        ("low -0.01", "low 0.01", False),
        ("1 2", "1 2 3", False),
        ("established", "not established", False),
    ],
)
def test_texts_are_the_same_up_to_the_last_digit(text: str, other: str, equal: bool) -> None:
    assert same(text, other) is equal


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_says_what_is_kept_of_it(path: Path) -> None:
    import matplotlib.font_manager  # noqa: F401  # makes its list of fonts here: in the kernel it would be a line on stderr

    from benchmarks.run_notebook import executed

    now, before = codes(executed(path)), codes(kept(path))
    assert not [output for cell in now for output in cell.outputs if output.get("name") == "stderr"]
    hint = f"python -m benchmarks.run_notebook examples/{path.name}"
    for cell, was in zip(now, before, strict=True):
        assert cell.execution_count == was.execution_count, hint
        said, had = texts(cell), texts(was)
        assert len(said) == len(had) and all(map(same, said, had)), f"{hint}\nhad: {had}\nsaid: {said}"
        assert pictures(cell) == pictures(was), hint


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_kept_notebook_is_small_and_has_an_output_for_what_it_shows(path: Path) -> None:
    assert path.stat().st_size < LARGEST and len(kept(path).cells) < MOST_CELLS
    for number, cell in enumerate(codes(kept(path)), start=1):
        assert cell.execution_count == number and all(output.output_type != "error" for output in cell.outputs)
        if "plt.show()" in cell.source:
            assert pictures(cell) == 1
    assert str(ROOT) not in path.read_text() and "/home/" not in path.read_text()
