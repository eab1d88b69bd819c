"""The score of a model, which no knob reaches: loss and bits per byte, test-time training, the artifact's size."""
