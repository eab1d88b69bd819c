"""Parameter golf: 131 recorded runs of a 17-million-parameter GPT."""
