"""Python source code as text to learn from: modules of the standard library, which every machine has."""

import importlib.util
import string
from pathlib import Path

import torch

TRAINING = ("argparse", "ast", "calendar", "configparser", "difflib", "fractions", "optparse", "shutil", "tarfile")
VALIDATION = ("textwrap", "shelve", "sched")
TEST = ("subprocess",)

ALPHABET = string.printable
UNKNOWN = len(ALPHABET)  # any other character
VOCABULARY_SIZE = len(ALPHABET) + 1
IDS = {character: number for number, character in enumerate(ALPHABET)}


def read_sources(modules):
    """Returns the source text of modules, one after the other, without importing them."""
    specs = [importlib.util.find_spec(module) for module in modules]
    return "\n".join(Path(spec.origin).read_text(encoding="utf-8") for spec in specs)


def encode(text):
    return torch.tensor([IDS.get(character, UNKNOWN) for character in text])


def decode(ids):
    return "".join(ALPHABET[number] if number < UNKNOWN else "\N{REPLACEMENT CHARACTER}" for number in ids)


def make_streams(ids, streams):
    """Cuts a text into equally long streams that are read side by side: (streams, characters)."""
    length = len(ids) // streams
    return ids[: streams * length].view(streams, length)


def chunks(streams, length):
    """Yields inputs and targets (each target is the next character) chunk by chunk, in the order of the text."""
    for start in range(0, streams.size(1) - 1, length):
        stop = min(start + length, streams.size(1) - 1)
        yield streams[:, start:stop], streams[:, start + 1 : stop + 1]
