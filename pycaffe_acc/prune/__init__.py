"""Pruning: weights made zero, and nets told that they are."""
