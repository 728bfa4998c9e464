from dataclasses import dataclass


@dataclass
class Config:
    train_path: str = "data/eng.train"
    dev_path: str = "data/eng.testa"
    test_path: str = "data/eng.testb"
    word_dim: int = 100
    char_dim: int = 25
    char_filters: int = 30
    hidden_dim: int = 200
    dropout: float = 0.5
    lr: float = 0.015
    momentum: float = 0.9
    lr_decay: float = 0.05
    clip: float = 5.0
    batch_size: int = 10
    epochs: int = 50
    patience: int = 10
    seed: int = 42
    output: str = "best_ner.pt"
