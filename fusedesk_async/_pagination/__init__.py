"""Lists that are fetched page by page, ahead of who reads them."""
