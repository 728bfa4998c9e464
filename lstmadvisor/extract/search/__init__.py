"""Searches for hyperparameters, options, and settings that do nothing."""
