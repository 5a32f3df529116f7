"""A choice of rows with their pictures and metadata as one HTML file, which needs nothing beside it."""

from h5explorer_py.share.share import MOST_BYTES, Shared, page_name, share, shared_page

__all__ = ["MOST_BYTES", "Shared", "page_name", "share", "shared_page"]
