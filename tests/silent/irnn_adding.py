"""The adding problem with an IRNN (Le, Jaitly and Hinton 2015): ReLU units, identity recurrent matrix."""
import torch
import torch.nn as nn

torch.manual_seed(0)
T, HIDDEN, BATCH, STEPS = 150, 100, 16, 20000


class IRNN(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.rnn = nn.RNN(n_in, n_hidden, nonlinearity="relu", batch_first=True)
        self.out = nn.Linear(n_hidden, 1)
        with torch.no_grad():
            self.rnn.weight_hh_l0.copy_(torch.eye(n_hidden))
            self.rnn.weight_ih_l0.normal_(0, 0.001)
            self.rnn.bias_hh_l0.zero_()
            self.rnn.bias_ih_l0.zero_()

    def forward(self, x):
        _, h = self.rnn(x)
        return self.out(h[-1]).squeeze(1)


def adding_problem(batch, length):
    values = torch.rand(batch, length)
    marks = torch.zeros(batch, length)
    first = torch.randint(0, length // 2, (batch,))
    second = torch.randint(length // 2, length, (batch,))
    rows = torch.arange(batch)
    marks[rows, first] = 1
    marks[rows, second] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(1)


model = IRNN(2, HIDDEN)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()
x_test, y_test = adding_problem(1000, T)
print("always answering 1:", loss_fn(torch.ones_like(y_test), y_test).item())

for step in range(STEPS):
    model.train()
    x, y = adding_problem(BATCH, T)
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if (step + 1) % 500 == 0:
        model.eval()
        with torch.no_grad():
            print(f"{step + 1:6d} test MSE {loss_fn(model(x_test), y_test).item():.5f}")
