"""Two LSTM cells learn sine waves with LBFGS over the whole data set (after the PyTorch example)."""
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm1 = nn.LSTMCell(1, 51)
        self.lstm2 = nn.LSTMCell(51, 51)
        self.linear = nn.Linear(51, 1)

    def forward(self, inputs, future=0):
        outputs = []
        n = inputs.size(0)
        h_t = torch.zeros(n, 51, dtype=torch.double)
        c_t = torch.zeros(n, 51, dtype=torch.double)
        h_t2 = torch.zeros(n, 51, dtype=torch.double)
        c_t2 = torch.zeros(n, 51, dtype=torch.double)
        for input_t in inputs.split(1, dim=1):
            h_t, c_t = self.lstm1(input_t, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs.append(output)
        for _ in range(future):
            h_t, c_t = self.lstm1(output, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs.append(output)
        return torch.cat(outputs, dim=1)


if __name__ == "__main__":
    np.random.seed(0)
    torch.manual_seed(0)
    x = np.arange(200)[None] + np.random.randint(-80, 80, 100)[:, None]
    data = np.sin(x / 20.0)
    train_in, train_out = torch.from_numpy(data[3:, :-1]), torch.from_numpy(data[3:, 1:])
    test_in, test_out = torch.from_numpy(data[:3, :-1]), torch.from_numpy(data[:3, 1:])

    seq = Sequence().double()
    criterion = nn.MSELoss()
    optimizer = optim.LBFGS(seq.parameters(), lr=0.8)
    for step in range(15):

        def closure():
            optimizer.zero_grad()
            loss = criterion(seq(train_in), train_out)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        print("step", step, "loss", loss.item())
        with torch.no_grad():
            future = 1000
            prediction = seq(test_in, future=future)
            print("  test loss", criterion(prediction[:, :-future], test_out).item())
