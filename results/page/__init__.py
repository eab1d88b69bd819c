"""Self-contained HTML pages: of a campaign, and of several side by side, each drawn, with every trial behind it.

``data.py`` makes a dict of a campaign, ``comparison.py`` one of several; ``write.py`` puts it with ``frame.html``, the
sections in ``campaign.html`` or ``comparison.html``, ``page.css`` and the scripts in ``scripts/`` into one file. The
pages draw on canvas by some hundred lines of their own: linked selection over thousands of trials is what libraries of
lines or of SVG lack, and d3 or Plot alone would weigh more than all of it.
"""

PAGE = "report.html"  # in the campaign's folder
