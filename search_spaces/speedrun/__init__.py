"""The speedrun to a training loss of 6.7: its record and each proposed experiment."""
