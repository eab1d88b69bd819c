"""The folder in which a campaign keeps its event files of TensorBoard."""

TENSORBOARD = "tensorboard"  # below the campaign's
