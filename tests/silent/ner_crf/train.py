import random

import numpy as np
import torch
from torch.utils.data import DataLoader

from config import Config
from model import BiLSTMCRF
from reader import CoNLL, collate
from seqeval.metrics import f1_score


def evaluate(model, loader, tag_names, device):
    model.eval()
    gold, predicted = [], []
    with torch.no_grad():
        for words, chars, lengths, tags, mask in loader:
            paths = model.decode(words.to(device), chars.to(device), lengths, mask.to(device))
            for path, row, n in zip(paths, tags.tolist(), lengths.tolist()):
                predicted.append([tag_names[t] for t in path])
                gold.append([tag_names[t] for t in row[:n]])
    return f1_score(gold, predicted)


def main(cfg=Config()):
    random.seed(cfg.seed)
    np.random.seed(cfg.seed)
    torch.manual_seed(cfg.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    train_set = CoNLL(cfg.train_path)
    dev_set = CoNLL(cfg.dev_path, vocab=train_set.vocab)
    test_set = CoNLL(cfg.test_path, vocab=train_set.vocab)
    train_loader = DataLoader(train_set, cfg.batch_size, shuffle=True, collate_fn=collate)
    dev_loader = DataLoader(dev_set, 64, collate_fn=collate)
    test_loader = DataLoader(test_set, 64, collate_fn=collate)

    model = BiLSTMCRF(cfg, train_set.vocab.n_words, train_set.vocab.n_chars, train_set.vocab.n_tags).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda e: 1 / (1 + cfg.lr_decay * e))

    best_f1, since_best = 0.0, 0
    for epoch in range(cfg.epochs):
        model.train()
        running = 0.0
        for words, chars, lengths, tags, mask in train_loader:
            optimizer.zero_grad(set_to_none=True)
            loss = model.loss(words.to(device), chars.to(device), lengths, tags.to(device), mask.to(device))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), cfg.clip)
            optimizer.step()
            running += loss.item()
        schedule.step()
        f1 = evaluate(model, dev_loader, train_set.vocab.tag_names, device)
        print(f"{epoch:3d}  loss {running / len(train_loader):.4f}  dev F1 {f1:.4f}")
        if f1 > best_f1:
            best_f1, since_best = f1, 0
            torch.save(model.state_dict(), cfg.output)
        else:
            since_best += 1
            if since_best > cfg.patience:
                break

    model.load_state_dict(torch.load(cfg.output, map_location=device))
    print(f"test F1 {evaluate(model, test_loader, train_set.vocab.tag_names, device):.4f}")


if __name__ == "__main__":
    main()
