"""Names of Optuna's journal in a campaign's folder."""

JOURNAL, JOURNAL_LOCK = "optuna.journal", "optuna.journal.lock"  # the second is Optuna's: a link
JOURNAL_BEFORE = f"{JOURNAL}.before"  # that of the start before
