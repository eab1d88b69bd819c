"""The benchmark of Muon's precision trains in the precision that it names."""

from __future__ import annotations

from benchmarks import muon_precision


def test_both_precisions_are_trained_on_the_same_seeds_and_their_difference_is_printed(monkeypatch, capsys) -> None:
    asked = []

    def loss(config, dataset, precision) -> float:
        asked.append((config.seed, config.model.model_dim, config.budget.steps, precision))
        return 3.0 + config.seed + (0.25 if precision == "bf16" else 0.0)

    monkeypatch.setattr(muon_precision, "loss_of", loss)
    monkeypatch.setattr(muon_precision, "prepare", lambda data, say: None)
    muon_precision.main(["--width", "64", "--steps", "5", "--seeds", "2"])
    assert asked == [(seed, 64, 5, precision) for seed in (0, 1) for precision in ("fp32", "bf16")]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "seed 0: fp32 3.0000, bf16 3.2500"
    assert "bf16 minus fp32 +0.2500 nats/token (SD over seeds 0.0000); SD of seeds in fp32 0.7071" in " ".join(said[2:])
