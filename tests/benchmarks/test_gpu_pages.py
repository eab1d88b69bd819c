"""Pages of GPUs in docs/gpu quote the JSON that was printed beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

RECORDED = sorted((Path(__file__).parents[2] / "docs" / "gpu").glob("*.json"))


def found(record: dict[str, Any], section: str) -> Iterator[dict[str, Any]]:
    yield from (call["found"][section] for call in record["calls"] if section in call["found"])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_page_has_the_speeds_that_were_recorded(path: Path) -> None:
    record, page = json.loads(path.read_text()), path.with_suffix(".md").read_text()
    assert record["device"] and record["torch"] and all(call["commit"] and call["when"] for call in record["calls"])
    steps = [
        step for name in ("speed_full", "speed_proxy") for speeds in found(record, name) for step in speeds.items()
    ]
    assert steps
    for name, step in steps:
        row = f"| {name.replace(' (the default)', '')} | {step['ms_a_step']} | {step['tokens_a_second']:,} | "
        assert row + f"{100 * step['mfu']:.1f} % |" in page
    for sizes in found(record, "evaluation"):
        for size in sizes.values():
            assert f"{size['eager_tokens_a_second']:,}" in page and f"{size['compiled_tokens_a_second']:,}" in page


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_page_says_how_many_models_agreed_and_by_how_much(path: Path) -> None:
    record, page = json.loads(path.read_text()), path.with_suffix(".md").read_text()
    (models,) = found(record, "models")
    assert f"{len(models)} of {len(models)} models" in page
    for precision, shown in (("fp32", "{:.1e}"), ("bf16", "{:.4f}")):
        assert shown.format(max(model[precision]["relative"] for model in models.values())) in page
