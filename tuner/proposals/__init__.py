"""Configs to train next: Optuna, what it starts from, trials taken over, recorded runs."""
