"""Data of both frameworks: batches, sequences, splits, scalers, padding, metrics."""
