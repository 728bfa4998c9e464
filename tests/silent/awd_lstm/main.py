import argparse
import math
import time

import torch
import torch.nn as nn

import data
from model import AWDLSTM

parser = argparse.ArgumentParser(description="AWD-LSTM language model on WikiText-2")
parser.add_argument("--data", type=str, default="data/wikitext-2/")
parser.add_argument("--lr", type=float, default=30)
parser.add_argument("--clip", type=float, default=0.25)
parser.add_argument("--epochs", type=int, default=750)
parser.add_argument("--batch_size", type=int, default=80)
parser.add_argument("--bptt", type=int, default=70)
parser.add_argument("--seed", type=int, default=1111)
parser.add_argument("--nonmono", type=int, default=5)
parser.add_argument("--alpha", type=float, default=2, help="activation regularization")
parser.add_argument("--beta", type=float, default=1, help="temporal activation regularization")
parser.add_argument("--wdecay", type=float, default=1.2e-6)
parser.add_argument("--save", type=str, default="awd.pt")
args = parser.parse_args()

torch.manual_seed(args.seed)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

corpus = data.Corpus(args.data)
eval_batch_size = 10
train_data = data.batchify(corpus.train, args.batch_size, device)
val_data = data.batchify(corpus.valid, eval_batch_size, device)
test_data = data.batchify(corpus.test, 1, device)

ntokens = len(corpus.dictionary)
model = AWDLSTM(ntokens).to(device)
criterion = nn.CrossEntropyLoss()


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return [repackage_hidden(v) for v in h] if isinstance(h, list) else tuple(repackage_hidden(v) for v in h)


def get_batch(source, i, seq_len):
    seq_len = min(seq_len, len(source) - 1 - i)
    return source[i:i + seq_len], source[i + 1:i + 1 + seq_len].reshape(-1)


def evaluate(source, batch_size):
    model.eval()
    total = 0.0
    hidden = model.init_hidden(batch_size)
    with torch.no_grad():
        for i in range(0, source.size(0) - 1, args.bptt):
            inputs, targets = get_batch(source, i, args.bptt)
            output, hidden, _, _ = model(inputs, hidden)
            total += len(inputs) * criterion(output.view(-1, ntokens), targets).item()
    return total / (len(source) - 1)


def train():
    total, start = 0.0, time.time()
    hidden = model.init_hidden(args.batch_size)
    batch, i = 0, 0
    while i < train_data.size(0) - 2:
        bptt = args.bptt if torch.rand(1).item() < 0.95 else args.bptt / 2
        seq_len = max(5, int(torch.normal(torch.tensor(float(bptt)), 5.0)))
        lr = optimizer.param_groups[0]["lr"]
        optimizer.param_groups[0]["lr"] = lr * seq_len / args.bptt
        model.train()
        inputs, targets = get_batch(train_data, i, seq_len)
        hidden = repackage_hidden(hidden)
        optimizer.zero_grad()
        output, hidden, raw, dropped = model(inputs, hidden)
        raw_loss = criterion(output.view(-1, ntokens), targets)
        loss = raw_loss + args.alpha * dropped.pow(2).mean()
        loss = loss + args.beta * (raw[1:] - raw[:-1]).pow(2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()
        total += raw_loss.item()
        optimizer.param_groups[0]["lr"] = lr
        if batch % 200 == 0 and batch > 0:
            print(f"batch {batch:5d} | {time.time() - start:5.1f} s | ppl {math.exp(total / 200):8.2f}")
            total, start = 0.0, time.time()
        batch += 1
        i += seq_len


optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, weight_decay=args.wdecay)
best_val_loss, best = [], float("inf")
try:
    for epoch in range(1, args.epochs + 1):
        train()
        if "t0" in optimizer.param_groups[0]:
            backup = {p: p.data.clone() for p in model.parameters()}
            for p in model.parameters():
                p.data = optimizer.state[p]["ax"].clone()
            val_loss = evaluate(val_data, eval_batch_size)
            if val_loss < best:
                torch.save(model.state_dict(), args.save)
                best = val_loss
            for p in model.parameters():
                p.data = backup[p].clone()
        else:
            val_loss = evaluate(val_data, eval_batch_size)
            if val_loss < best:
                torch.save(model.state_dict(), args.save)
                best = val_loss
            if len(best_val_loss) > args.nonmono and val_loss > min(best_val_loss[:-args.nonmono]):
                print("Switching to ASGD")
                optimizer = torch.optim.ASGD(model.parameters(), lr=args.lr, t0=0, lambd=0.0, weight_decay=args.wdecay)
            best_val_loss.append(val_loss)
        print(f"| end of epoch {epoch:3d} | valid loss {val_loss:5.2f} | valid ppl {math.exp(val_loss):8.2f}")
except KeyboardInterrupt:
    print("Exiting from training early")

model.load_state_dict(torch.load(args.save))
test_loss = evaluate(test_data, 1)
print(f"test loss {test_loss:5.2f} | test ppl {math.exp(test_loss):8.2f}")
