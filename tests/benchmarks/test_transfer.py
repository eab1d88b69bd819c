"""The comparison of two widths: the same configs in every arm, rates that move, and what is printed of the ends."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import transfer
from benchmarks.surrogate.scales import points
from terminal.console import Console
from trainable.component_paths import difference, get_value

RATES = {"optimizer.tied_embed_lr", "optimizer.head_lr"}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch) -> None:
    monkeypatch.setattr(transfer, "RESAMPLES", 200)


def test_the_arms_differ_in_the_width_and_in_the_rates_that_a_rule_moves() -> None:
    for values in points(6):
        small, plain, moved = (transfer.config_of(values, arm, 0) for arm in transfer.ARMS)
        assert difference(small, plain).keys() == {"model.model_dim"}
        changed = difference(plain, moved)
        assert changed and changed.keys() <= RATES
        assert all(now == pytest.approx(was / 3) for was, now in changed.values())
        assert get_value(transfer.config_of(values, "moved", 1), "seed") == small.seed + 1


def test_a_rank_correlation_is_of_ranks_and_a_config_that_diverged_is_last() -> None:
    assert transfer.spearman(np.array([1.0, 2.0, 9.0]), np.array([1.0, 4.0, np.inf])) == pytest.approx(1)
    assert transfer.spearman(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(-1)
    assert transfer.spearman(np.array([1.0, 1.0, 1.0]), np.array([3.0, 2.0, 1.0])) == 0


def test_the_interval_holds_the_statistic_and_shrinks_with_more_configs() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=80)
    y = x + generator.normal(size=80)
    few, many = (transfer.interval(lambda at, n=n: transfer.spearman(x[:n][at], y[:n][at]), n) for n in (10, 80))
    assert many[0] < transfer.spearman(x, y) < many[1] and many[1] - many[0] < few[1] - few[0]


def test_what_is_printed_is_of_configs_with_all_runs(capsys) -> None:
    generator = np.random.default_rng(1)
    rows = [
        {"number": n, "arm": arm, "trial_seed": seed, "status": "completed",
         "rungs": [n / 10 * (1 if arm != "as they are" else -1) + generator.normal() / 1e6]}
        for n in range(8) for arm in transfer.ARMS for seed in range(2)
    ]  # fmt: skip
    transfer.show(Console(width=120), rows[:-1])
    said = capsys.readouterr().out
    assert "all: 7 configs, width 32 beside 96, means of 2 seeds" in said
    assert "rates as they are: -1.00 (" in said and "rates moved: 1.00 (" in said
    assert "moved minus as they are: +2.00" in said
    transfer.show(Console(width=120), rows[:12])
    assert "2 configs have all their runs; at least 4 are needed" in capsys.readouterr().out
