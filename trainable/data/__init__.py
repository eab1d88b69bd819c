"""Text and tokens: where they come from, their vocabulary, and the order in which they are read."""
