"""deploy/cost_cap.py: the worst case of the cluster files, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRICES = ["--price", "head=0.1", "--price", "gpu_worker=0.8"]


@pytest.mark.parametrize("name", ["cluster.yaml", "deploy/gcp.yaml"])
def test_the_worst_case_is_every_machine_at_its_price_for_the_life_of_the_head(script, capsys, name) -> None:
    file = str(ROOT / name)
    assert script("cost_cap").main([file, *PRICES, "--hours", "48", "--cap", "312"]) == 0
    assert capsys.readouterr().out == "at most 6.50 an hour, 312.00 in 48 hours, of 312.00\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([*PRICES, "--hours", "48", "--cap", "200"], "above the cap: max_workers: 5 would be below it"),
        ([*PRICES, "--hours", "48", "--cap", "1"], "so is the head alone"),
        ([*PRICES, "--hours", "12", "--cap", "900"], "--hours is 12, but the head of the file lives for up to 48"),
        (["--price", "head=0.1", "--hours", "48", "--cap", "900"], "--price of 'gpu_worker' is missing"),
        ([*PRICES, "--price", "gpu=1", "--hours", "48", "--cap", "900"], "'gpu', which is no node type"),
        ([*PRICES, "--price", "head=nan", "--hours", "48", "--cap", "900"], "--price 'head=nan'"),
    ],
)
def test_what_is_above_the_cap_or_not_said_is_refused_in_one_line(script, capsys, given, said) -> None:
    assert script("cost_cap").main([str(ROOT / "cluster.yaml"), *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cost_cap.py: ") and said in line


def test_a_file_whose_head_never_ends_and_one_without_prices_are_refused(script, capsys, tmp_path) -> None:
    endless = tmp_path / "cluster.yaml"
    endless.write_text((ROOT / "cluster.yaml").read_text().replace("install head 180 48", "install head 180"))
    assert script("cost_cap").main([str(endless), *PRICES, "--hours", "48", "--cap", "900"]) == 2
    assert "nothing ends the head" in capsys.readouterr().err
    own = str(ROOT / "deploy/on_premises.yaml")
    assert script("cost_cap").main([own, "--hours", "48", "--cap", "900"]) == 2
