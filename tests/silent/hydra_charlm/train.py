import logging
import math

import hydra
import torch
from hydra.utils import to_absolute_path
from omegaconf import DictConfig
from torch import nn

log = logging.getLogger(__name__)
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class CharModel(nn.Module):
    def __init__(self, n_chars, cfg):
        super().__init__()
        self.embed = nn.Embedding(n_chars, cfg.embedding)
        self.rnn = CELLS[cfg.cell](
            cfg.embedding, cfg.hidden, cfg.layers, dropout=cfg.dropout if cfg.layers > 1 else 0.0, batch_first=True
        )
        self.drop = nn.Dropout(cfg.dropout)
        self.decode = nn.Linear(cfg.hidden, n_chars)

    def forward(self, x, state=None):
        h, state = self.rnn(self.embed(x), state)
        return self.decode(self.drop(h)), state


def detached(state):
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def chunks(streams, steps):
    for start in range(0, streams.size(1) - 1, steps):
        n = min(steps, streams.size(1) - 1 - start)
        yield streams[:, start : start + n], streams[:, start + 1 : start + n + 1]


def as_streams(ids, batch_size):
    n = len(ids) // batch_size
    return ids[: n * batch_size].view(batch_size, n)


@torch.no_grad()
def bits_per_char(model, streams, steps):
    model.eval()
    state, total, count = None, 0.0, 0
    for x, y in chunks(streams, steps):
        logits, state = model(x, state)
        total += nn.functional.cross_entropy(logits.transpose(1, 2), y, reduction="sum").item()
        count += y.numel()
    return total / count / math.log(2)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg: DictConfig) -> None:
    torch.manual_seed(cfg.seed)
    text = open(to_absolute_path(cfg.data), encoding="utf-8").read()
    chars = sorted(set(text))
    index = {c: i for i, c in enumerate(chars)}
    ids = torch.tensor([index[c] for c in text])
    cut = int(0.9 * len(ids))
    train, valid = as_streams(ids[:cut], cfg.train.batch_size), as_streams(ids[cut:], 8)

    model = CharModel(len(chars), cfg.model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.optim.lr, weight_decay=cfg.optim.weight_decay)
    best, waited = float("inf"), 0
    for epoch in range(cfg.train.epochs):
        model.train()
        state = None
        for x, y in chunks(train, cfg.train.steps):
            state = detached(state) if state is not None else None
            optimizer.zero_grad()
            logits, state = model(x, state)
            loss = nn.functional.cross_entropy(logits.transpose(1, 2), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), cfg.optim.clip)
            optimizer.step()
        bits = bits_per_char(model, valid, cfg.train.steps)
        log.info("epoch %d: %.3f bits a character", epoch, bits)
        if bits < best:
            best, waited = bits, 0
            torch.save(model.state_dict(), "charlm.pt")
        else:
            waited += 1
            if waited >= cfg.train.patience:
                break


if __name__ == "__main__":
    main()
