"""Measures a short run of a training program.

All modules here but `run`, `collect` and `scratch` work with the standard library and the user's framework alone: they
are executed in the user's environment.
"""
