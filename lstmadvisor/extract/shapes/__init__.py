"""Shapes of arrays and tensors that are only partly known."""
