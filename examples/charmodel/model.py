"""A character-level language model."""

from torch import nn


class CharModel(nn.Module):
    def __init__(self, vocabulary_size, embedding_dim, hidden_size, num_layers, dropout):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_size, num_layers, dropout=dropout, batch_first=True)
        self.head = nn.Linear(hidden_size, vocabulary_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, state=None):
        out, state = self.lstm(self.embedding(x), state)
        return self.dropout(self.head(out)), state
