"""Exit codes of all programs; an interruption has those of its signal (``program.exit_code``)."""

from __future__ import annotations

DONE = 0
FAILED = 1  # begun, and ended by something other than the input
BAD_INPUT = 2  # refused before anything was done
