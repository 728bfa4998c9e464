"""The abstract run: a program is followed without being executed."""
