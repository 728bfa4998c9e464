import argparse


def get_parser():
    parser = argparse.ArgumentParser(description="Speech commands with Lightning Fabric")
    group = parser.add_argument_group("model")
    group.add_argument("--rnn-type", choices=["lstm", "gru"], default="gru")
    group.add_argument("--hidden-size", type=int, default=128)
    group.add_argument("--num-layers", type=int, default=2)
    group.add_argument("--dropout", type=float, default=0.2)
    group = parser.add_argument_group("optimisation")
    group.add_argument("--batch-size", type=int, default=64)
    group.add_argument("--lr", type=float, default=1e-3)
    group.add_argument("--max-epochs", type=int, default=25)
    group.add_argument("--clip-norm", type=float, default=3.0)
    group.add_argument("--patience", type=int, default=4)
    group.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-amp", dest="amp", action="store_false")
    return parser
