"""A campaign in its folder: its record, its trials' rows, its lock, and what going on with it takes."""
