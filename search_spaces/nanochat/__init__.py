"""nanochat: Run 6 of its leaderboard, the Run 7 candidate and what was tried on the way."""
