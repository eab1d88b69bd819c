"""A recorded campaign trained again: recorded beside measured, as text and as a picture."""
