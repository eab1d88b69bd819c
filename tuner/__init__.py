"""How a space is searched: Ray Tune runs trials, Optuna proposes them, ASHA stops the bad ones. Start at ``run.py``."""
