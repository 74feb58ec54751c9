"""Evaluation suites: many rows of accuracy and throughput by a plan that is a data file, in one document with a published schema."""
