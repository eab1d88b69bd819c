"""Terminal: the one place that prints, escapes and refuses. Knows nobody."""

from __future__ import annotations

from terminal.started_module import refuse_library

refuse_library()
