"""Builders of the public networks: each returns a NetParameter with the layer names of the public weights."""
