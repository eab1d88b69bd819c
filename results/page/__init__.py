"""One self-contained HTML page of a campaign: what was found, drawn, with every trial behind it.

``data.py`` makes a dict of a campaign, ``write.py`` puts it with ``page.html``, ``page.css`` and the scripts in
``scripts/`` into one file. The page draws on canvas by some hundred lines of its own: linked selection over thousands
of trials is what libraries of lines or of SVG lack, and d3 or Plot alone would weigh more than all of it.
"""

PAGE = "report.html"  # in the campaign's folder
