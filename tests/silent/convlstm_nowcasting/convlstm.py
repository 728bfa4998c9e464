import torch
from torch import nn


class ConvLSTMCell(nn.Module):
    """ConvLSTM with peepholes (Shi et al. 2015)."""

    def __init__(self, in_channels, hidden_channels, kernel_size=3):
        super().__init__()
        self.hidden_channels = hidden_channels
        self.gates = nn.Conv2d(in_channels + hidden_channels, 4 * hidden_channels, kernel_size, padding=kernel_size // 2)
        self.w_ci = nn.Parameter(torch.zeros(1, hidden_channels, 1, 1))
        self.w_cf = nn.Parameter(torch.zeros(1, hidden_channels, 1, 1))
        self.w_co = nn.Parameter(torch.zeros(1, hidden_channels, 1, 1))
        with torch.no_grad():
            self.gates.bias[hidden_channels : 2 * hidden_channels].fill_(1.0)

    def init_state(self, x):
        b, _, h, w = x.shape
        zeros = x.new_zeros(b, self.hidden_channels, h, w)
        return zeros, zeros.clone()

    def forward(self, x, state):
        h, c = state
        i, f, g, o = torch.chunk(self.gates(torch.cat([x, h], dim=1)), 4, dim=1)
        i = torch.sigmoid(i + self.w_ci * c)
        f = torch.sigmoid(f + self.w_cf * c)
        c = f * c + i * torch.tanh(g)
        o = torch.sigmoid(o + self.w_co * c)
        h = o * torch.tanh(c)
        return h, c


class Nowcaster(nn.Module):
    def __init__(self, hidden=64, horizon=10):
        super().__init__()
        self.horizon = horizon
        self.encoder = ConvLSTMCell(1, hidden)
        self.decoder = ConvLSTMCell(hidden, hidden)
        self.to_frame = nn.Conv2d(hidden, 1, kernel_size=1)

    def forward(self, frames):
        state = self.encoder.init_state(frames[:, 0])
        for t in range(frames.size(1)):
            state = self.encoder(frames[:, t], state)
        outputs, x = [], state[0]
        for _ in range(self.horizon):
            state = self.decoder(x, state)
            x = state[0]
            outputs.append(self.to_frame(x))
        return torch.stack(outputs, dim=1)
