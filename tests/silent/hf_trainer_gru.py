"""Intent classification: a frozen BERT embedding layer under a GRU, trained by the Hugging Face Trainer."""
import numpy as np
import torch
from datasets import load_dataset
from torch import nn
from transformers import (
    AutoModel,
    AutoTokenizer,
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.modeling_outputs import SequenceClassifierOutput

CHECKPOINT = "prajjwal1/bert-tiny"


class GRUClassifier(nn.Module):
    def __init__(self, num_labels, hidden=128, dropout=0.2):
        super().__init__()
        self.embeddings = AutoModel.from_pretrained(CHECKPOINT).embeddings.word_embeddings
        self.embeddings.weight.requires_grad_(False)
        self.gru = nn.GRU(self.embeddings.embedding_dim, hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * hidden, num_labels)
        self.loss_fn = nn.CrossEntropyLoss()

    def forward(self, input_ids, attention_mask, labels=None, **kwargs):
        x = self.dropout(self.embeddings(input_ids))
        lengths = attention_mask.sum(1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, h = self.gru(packed)
        logits = self.classifier(self.dropout(torch.cat([h[0], h[1]], dim=-1)))
        loss = self.loss_fn(logits, labels) if labels is not None else None
        return SequenceClassifierOutput(loss=loss, logits=logits)


def main():
    set_seed(42)
    raw = load_dataset("clinc_oos", "plus")
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT)

    def tokenize(batch):
        return tokenizer(batch["text"], truncation=True, max_length=64)

    data = raw.map(tokenize, batched=True, remove_columns=["text"]).rename_column("intent", "labels")
    num_labels = raw["train"].features["intent"].num_classes

    def compute_metrics(prediction):
        return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}

    args = TrainingArguments(
        output_dir="out/gru-intent",
        learning_rate=1e-3,
        per_device_train_batch_size=64,
        per_device_eval_batch_size=256,
        num_train_epochs=20,
        weight_decay=0.01,
        max_grad_norm=1.0,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model="accuracy",
        seed=42,
        report_to="none",
    )
    trainer = Trainer(
        model=GRUClassifier(num_labels),
        args=args,
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=compute_metrics,
        callbacks=[EarlyStoppingCallback(early_stopping_patience=3)],
    )
    trainer.train()
    print(trainer.evaluate(data["test"], metric_key_prefix="test"))


if __name__ == "__main__":
    main()
