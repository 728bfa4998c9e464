"""A character-level language model."""

import torch
from torch import nn


class CharModel(nn.Module):
    def __init__(self, vocabulary_size, embedding_dim, hidden_size, num_layers, dropout):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_size, num_layers, dropout=dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, vocabulary_size)
        self.set_forget_bias(1.0)

    def set_forget_bias(self, value):
        """Sets the forget bias of every layer. PyTorch adds two bias vectors: one gets the value, the other 0."""
        size = self.lstm.hidden_size
        with torch.no_grad():
            for layer in range(self.lstm.num_layers):
                getattr(self.lstm, f"bias_ih_l{layer}")[size : 2 * size].fill_(value)
                getattr(self.lstm, f"bias_hh_l{layer}")[size : 2 * size].zero_()

    def forward(self, x, state=None):
        out, state = self.lstm(self.embedding(x), state)
        return self.head(self.dropout(out)), state
