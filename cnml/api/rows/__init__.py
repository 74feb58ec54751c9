"""The operators of the vendor's interface, one family a file; each file has a list `ROWS`."""
