"""Numbers from rows: the leaderboard, paired comparisons on fresh seeds, group-sequential levels, ablation."""
