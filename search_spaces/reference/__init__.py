"""The reference in ``docs/``: every knob and every space as Markdown, made from the code that defines them."""
