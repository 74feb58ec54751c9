"""Operators: tensors, shapes, kernels, compiled graphs."""
