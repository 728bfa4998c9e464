"""Keras: layers, compile, fit, callbacks."""
