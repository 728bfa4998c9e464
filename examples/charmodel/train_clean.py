"""Trains a character-level language model on Python source code and lets it write some."""

import argparse
import copy
import math

import torch
from torch import nn

from data import TEST, TRAINING, VALIDATION, VOCABULARY_SIZE, chunks, decode, encode, make_streams, read_sources
from model_clean import CharModel


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--max-chars", type=int, default=120_000, help="characters of the training text to use")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--sequence-length", type=int, default=100)
    parser.add_argument("--embedding-dim", type=int, default=32)
    parser.add_argument("--hidden-size", type=int, default=96)
    parser.add_argument("--num-layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--clip", type=float, default=1.0, help="largest norm of the gradient")
    parser.add_argument("--patience", type=int, default=2, help="epochs without improvement before it stops")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample", type=int, default=200, help="characters to write at the end")
    return parser.parse_args()


def detach(state):
    return tuple(part.detach() for part in state)


def train_epoch(model, streams, criterion, optimizer, args):
    model.train()
    total = 0.0
    count = 0
    state = None
    for x, y in chunks(streams, args.sequence_length):
        if state is not None:
            state = detach(state)
        optimizer.zero_grad()
        logits, state = model(x, state)
        loss = criterion(logits.reshape(-1, VOCABULARY_SIZE), y.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=args.clip)
        optimizer.step()
        total += loss.item() * y.numel()
        count += y.numel()
    return total / count


@torch.no_grad()
def evaluate(model, streams, criterion, args):
    model.eval()
    total = 0.0
    count = 0
    state = None
    for x, y in chunks(streams, args.sequence_length):
        logits, state = model(x, state)
        loss = criterion(logits.reshape(-1, VOCABULARY_SIZE), y.reshape(-1))
        total += loss.item() * y.numel()
        count += y.numel()
    return total / count


@torch.no_grad()
def sample(model, start, length):
    model.eval()
    ids = encode(start).tolist()
    logits, state = model(torch.tensor([ids]))
    for _ in range(length):
        probabilities = logits[0, -1].softmax(dim=-1)
        ids.append(torch.multinomial(probabilities, 1).item())
        logits, state = model(torch.tensor([ids[-1:]]), state)
    return decode(ids)


def main():
    args = parse_args()
    torch.manual_seed(args.seed)

    training = make_streams(encode(read_sources(TRAINING))[: args.max_chars], args.batch_size)
    validation = make_streams(encode(read_sources(VALIDATION)), args.batch_size)
    test = make_streams(encode(read_sources(TEST)), args.batch_size)

    model = CharModel(VOCABULARY_SIZE, args.embedding_dim, args.hidden_size, args.num_layers, args.dropout)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)

    best_loss = float("inf")
    best_state = None
    bad_epochs = 0
    for epoch in range(args.epochs):
        train_loss = train_epoch(model, training, criterion, optimizer, args)
        validation_loss = evaluate(model, validation, criterion, args)
        scheduler.step()
        print(f"epoch {epoch}  train {train_loss:.3f}  validation {validation_loss:.3f}", flush=True)
        if validation_loss < best_loss:
            best_loss = validation_loss
            best_state = copy.deepcopy(model.state_dict())
            bad_epochs = 0
        else:
            bad_epochs += 1
            if bad_epochs == args.patience:
                break

    model.load_state_dict(best_state)
    test_loss = evaluate(model, test, criterion, args)
    print(f"test {test_loss / math.log(2):.2f} bits a character")
    if args.sample:
        print(sample(model, "def ", args.sample))


if __name__ == "__main__":
    main()
