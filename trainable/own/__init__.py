"""A user's own source code as plain data, and its execution where a training runs."""
