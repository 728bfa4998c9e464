"""A layer-normalised LSTM written by hand, on pixel-by-pixel MNIST."""
import torch
from torch import nn
from torch.utils.data import DataLoader, random_split
from torchvision import datasets, transforms


class LayerNormLSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super().__init__()
        self.hidden_size = hidden_size
        self.w_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.w_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.norm_ih = nn.LayerNorm(4 * hidden_size)
        self.norm_hh = nn.LayerNorm(4 * hidden_size)
        self.norm_c = nn.LayerNorm(hidden_size)
        self.forget_bias = forget_bias
        for gate in self.w_hh.data.chunk(4):
            nn.init.orthogonal_(gate)
        nn.init.xavier_uniform_(self.w_ih)

    def forward(self, x, state):
        h, c = state
        gates = self.norm_ih(x @ self.w_ih.t()) + self.norm_hh(h @ self.w_hh.t())
        i, f, g, o = gates.chunk(4, 1)
        c = torch.sigmoid(f + self.forget_bias) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(self.norm_c(c))
        return h, (h, c)


class PixelClassifier(nn.Module):
    def __init__(self, hidden=128, classes=10):
        super().__init__()
        self.cell = LayerNormLSTMCell(28, hidden)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x):
        state = (x.new_zeros(x.size(0), self.cell.hidden_size), x.new_zeros(x.size(0), self.cell.hidden_size))
        for row in x.unbind(1):
            h, state = self.cell(row, state)
        return self.fc(h)


def accuracy(model, loader, device):
    model.eval()
    hits = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (model(x.to(device).squeeze(1)).argmax(1) == y.to(device)).sum().item()
    return hits / len(loader.dataset)


def main():
    torch.manual_seed(12)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    full = datasets.MNIST("data", train=True, download=True, transform=transform)
    test = datasets.MNIST("data", train=False, transform=transform)
    train, val = random_split(full, [55000, 5000], generator=torch.Generator().manual_seed(12))
    train_loader = DataLoader(train, batch_size=128, shuffle=True)
    val_loader, test_loader = DataLoader(val, batch_size=500), DataLoader(test, batch_size=500)

    model = PixelClassifier().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(8):
        model.train()
        for x, y in train_loader:
            x, y = x.to(device).squeeze(1), y.to(device)
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            torch.nn.utils.clip_grad_value_(model.parameters(), 1.0)
            optimizer.step()
        print(epoch, accuracy(model, val_loader, device))
    print("test", accuracy(model, test_loader, device))


if __name__ == "__main__":
    main()
