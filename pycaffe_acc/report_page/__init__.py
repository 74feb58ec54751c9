"""A report as one page that needs no network, and its figures as pictures."""
