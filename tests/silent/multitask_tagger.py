"""Joint slot filling and intent detection (ATIS): one BiLSTM, two heads, a weighted sum of losses."""
import json
import random
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader


@dataclass
class ModelConfig:
    word_dim: int = 100
    hidden: int = 128
    dropout: float = 0.3


@dataclass
class TrainConfig:
    lr: float = 1e-3
    batch_size: int = 32
    epochs: int = 25
    clip: float = 1.0
    slot_weight: float = 1.0
    seed: int = 1
    model: ModelConfig = field(default_factory=ModelConfig)


class JointModel(nn.Module):
    def __init__(self, n_words, n_slots, n_intents, cfg: ModelConfig):
        super().__init__()
        self.embed = nn.Embedding(n_words, cfg.word_dim, padding_idx=0)
        self.encoder = nn.LSTM(cfg.word_dim, cfg.hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(cfg.dropout)
        self.slots = nn.Linear(2 * cfg.hidden, n_slots)
        self.intent = nn.Linear(2 * cfg.hidden, n_intents)

    def forward(self, words):
        mask = words != 0
        lengths = mask.sum(1)
        x = self.dropout(self.embed(words))
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed, _ = self.encoder(packed)
        h, _ = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True, total_length=words.size(1))
        h = self.dropout(h)
        pooled = (h * mask.unsqueeze(-1)).sum(1) / lengths.unsqueeze(-1)
        return self.slots(h), self.intent(pooled)


def collate(batch):
    words = nn.utils.rnn.pad_sequence([torch.tensor(b["words"]) for b in batch], batch_first=True)
    slots = nn.utils.rnn.pad_sequence([torch.tensor(b["slots"]) for b in batch], batch_first=True, padding_value=-100)
    return words, slots, torch.tensor([b["intent"] for b in batch])


def compute_loss(model, batch, weight):
    words, slots, intent = batch
    slot_logits, intent_logits = model(words)
    slot_loss = F.cross_entropy(slot_logits.view(-1, slot_logits.size(-1)), slots.view(-1))
    return weight * slot_loss + F.cross_entropy(intent_logits, intent), intent_logits


def main():
    cfg = TrainConfig()
    random.seed(cfg.seed)
    np.random.seed(cfg.seed)
    torch.manual_seed(cfg.seed)
    with open("data/atis.json") as f:
        atis = json.load(f)
    meta = atis["meta"]
    loaders = {
        part: DataLoader(atis[part], cfg.batch_size, shuffle=part == "train", collate_fn=collate)
        for part in ("train", "dev", "test")
    }
    model = JointModel(meta["words"], meta["slots"], meta["intents"], cfg.model)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    best = 0.0
    for epoch in range(cfg.epochs):
        model.train()
        for batch in loaders["train"]:
            optimizer.zero_grad()
            loss, _ = compute_loss(model, batch, cfg.slot_weight)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), cfg.clip)
            optimizer.step()
        model.eval()
        hits = 0
        with torch.no_grad():
            for batch in loaders["dev"]:
                _, intents = compute_loss(model, batch, cfg.slot_weight)
                hits += (intents.argmax(-1) == batch[2]).sum().item()
        accuracy = hits / len(atis["dev"])
        print(f"epoch {epoch}: intent accuracy {accuracy:.3f}")
        if accuracy > best:
            best = accuracy
            torch.save({"config": asdict(cfg), "state": model.state_dict()}, "joint.pt")


if __name__ == "__main__":
    main()
