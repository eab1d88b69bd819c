"""The Python door behind ``import tuner``: arguments, the campaign object, and a driver inside a longer process."""
