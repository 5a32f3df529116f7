"""Serving the page to one person's browser, without Jupyter: ``h5explorer open``."""
