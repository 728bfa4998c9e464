"""Source → facts: the only rooms of the house that see syntax."""
