import torch
from torch import nn

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class CommandNet(nn.Module):
    def __init__(self, args, n_mels=64, classes=35):
        super().__init__()
        self.norm = nn.LayerNorm(n_mels)
        self.rnn = CELLS[args.rnn_type](
            n_mels, args.hidden_size, args.num_layers, batch_first=True, dropout=args.dropout, bidirectional=True
        )
        self.head = nn.Sequential(nn.Dropout(args.dropout), nn.Linear(2 * args.hidden_size, classes))

    def forward(self, mel):
        out, _ = self.rnn(self.norm(mel))
        forward, backward = out.chunk(2, dim=-1)
        return self.head(torch.cat([forward[:, -1], backward[:, 0]], dim=-1))
