from __future__ import annotations

import pandas as pd
import pytest

from benchmarks.fidelity_curves import curves, main


@pytest.fixture
def table() -> pd.DataFrame:
    """Five runs of 100 steps, evaluated each 20; and one that was cut at 60."""
    rows = [
        {"run_id": f"r{n}", "iter": step, "total_steps": 100, "val_loss": 5 - step / 50 + n / 10}
        for n in range(6)
        for step in range(0, 101 if n < 5 else 61, 20)
    ]
    return pd.DataFrame(rows)


def test_a_value_is_the_last_evaluation_until_then_and_never_an_old_one(table) -> None:
    found = curves(table)
    assert set(found["part"]) == {0.2, 0.25, 0.4, 0.6, 0.8} and set(found["trial"]) == {f"r{n}" for n in range(5)}
    row = found[(found["trial"] == "r1") & (found["part"] == 0.25)].iloc[0]
    assert (row["value"], row["final"]) == (pytest.approx(4.7), pytest.approx(3.1))


def test_the_table_is_printed_and_a_bad_file_is_one_line(table, tmp_path, capsys) -> None:
    table.to_csv(tmp_path / "curves.csv", index=False)
    assert main([str(tmp_path / "curves.csv")]) == 0
    assert "+1.00" in capsys.readouterr().out
    table.drop(columns="val_loss").to_csv(tmp_path / "curves.csv", index=False)
    assert main([str(tmp_path / "curves.csv")]) == 2
    assert "the table has no column 'val_loss'" in capsys.readouterr().err
