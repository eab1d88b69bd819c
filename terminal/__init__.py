"""Terminal: the one place that prints, escapes and refuses. Knows nobody."""
