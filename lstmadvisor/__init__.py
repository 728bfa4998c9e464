"""An advice linter for LSTM, GRU and RNN training code in PyTorch and Keras."""

__version__ = "0.1.0"
