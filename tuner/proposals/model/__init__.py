"""Bayesian optimisation over a space: a Gaussian process of the objective, and what it proposes next."""
