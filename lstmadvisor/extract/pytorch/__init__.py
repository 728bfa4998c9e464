"""PyTorch: layers, training loops, state."""
