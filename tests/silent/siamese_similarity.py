"""Manhattan LSTM (Mueller and Thyagarajan 2016): one encoder for both questions."""
import pickle

import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import DataLoader

torch.manual_seed(100)
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


class MaLSTM(nn.Module):
    def __init__(self, weights, hidden_size=50):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(weights, freeze=True)
        self.encoder = nn.LSTM(weights.size(1), hidden_size)
        for name, param in self.encoder.named_parameters():
            if "bias" in name:
                nn.init.constant_(param, 0.0)
                param.data[hidden_size : 2 * hidden_size] = 1.0 if "ih" in name else 0.0
            elif "weight" in name:
                nn.init.orthogonal_(param)

    def encode(self, questions):
        packed = pack_sequence([self.embedding(q) for q in questions], enforce_sorted=False)
        _, (h, _) = self.encoder(packed)
        return h.squeeze(0)

    def forward(self, left, right):
        distance = (self.encode(left) - self.encode(right)).abs().sum(dim=1)
        return torch.exp(-distance)


def collate(batch):
    left, right, same = zip(*batch)
    return [q.to(device) for q in left], [q.to(device) for q in right], torch.tensor(same, dtype=torch.float)


def batches(split):
    with open(f"data/quora_{split}.pkl", "rb") as f:
        pairs = pickle.load(f)
    return DataLoader(pairs, batch_size=64, shuffle=split == "train", collate_fn=collate)


def score(model, loader, criterion):
    model.eval()
    total, correct, n = 0.0, 0, 0
    with torch.no_grad():
        for left, right, same in loader:
            similarity = model(left, right).cpu()
            total += criterion(similarity, same).item() * len(same)
            correct += ((similarity > 0.5) == same.bool()).sum().item()
            n += len(same)
    return total / n, correct / n


if __name__ == "__main__":
    train_loader, dev_loader, test_loader = batches("train"), batches("dev"), batches("test")
    model = MaLSTM(torch.load("data/glove.pt")).to(device)
    optimizer = torch.optim.Adadelta(model.encoder.parameters(), lr=1.0)
    criterion = nn.MSELoss()
    best = float("inf")
    for epoch in range(20):
        model.train()
        for left, right, same in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(left, right), same.to(device))
            loss.backward()
            nn.utils.clip_grad_norm_(model.encoder.parameters(), 1.25)
            optimizer.step()
        dev_loss, dev_acc = score(model, dev_loader, criterion)
        print(f"epoch {epoch} dev loss {dev_loss:.4f} accuracy {dev_acc:.4f}")
        if dev_loss < best:
            best = dev_loss
            torch.save(model.state_dict(), "malstm.pt")
    model.load_state_dict(torch.load("malstm.pt", map_location=device))
    print("test", score(model, test_loader, criterion))
