"""The folder in which a campaign keeps its event files of TensorBoard."""

FOLDER = "tensorboard"  # below the campaign's
