"""How a space is searched: Ray Tune runs trials, Optuna proposes them, ASHA stops the bad ones. Start at ``run.py``."""

from tuner.home import ensure_home

ensure_home()  # before anything imports Ray, which ends in a traceback without one
