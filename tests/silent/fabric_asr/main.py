import torch
import torchaudio
from lightning.fabric import Fabric, seed_everything
from torch.utils.data import DataLoader

from net import CommandNet
from options import get_parser

LABELS = sorted("backward bed bird cat dog down eight five follow forward four go happy house learn left marvin nine no "
                "off on one right seven sheila six stop three tree two up visual wow yes zero".split())
INDEX = {word: i for i, word in enumerate(LABELS)}
to_mel = torchaudio.transforms.MelSpectrogram(16_000, n_mels=64, hop_length=320)


def collate(batch):
    waves = [torch.nn.functional.pad(w, (0, 16_000 - w.size(1))) for w, *_ in batch]
    mel = to_mel(torch.cat(waves)).clamp(min=1e-6).log().transpose(1, 2)
    return mel, torch.tensor([INDEX[label] for _, _, label, *_ in batch])


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    hits = count = 0
    for mel, label in loader:
        hits += (model(mel).argmax(-1) == label).sum().item()
        count += len(label)
    return hits / count


def main():
    args = get_parser().parse_args()
    seed_everything(args.seed)
    fabric = Fabric(precision="16-mixed" if args.amp else "32-true")
    fabric.launch()

    sets = {s: torchaudio.datasets.SPEECHCOMMANDS("data", subset=s, download=True) for s in ("training", "validation", "testing")}
    train_loader = DataLoader(sets["training"], args.batch_size, shuffle=True, collate_fn=collate, num_workers=4)
    valid_loader = DataLoader(sets["validation"], 256, collate_fn=collate, num_workers=4)
    test_loader = DataLoader(sets["testing"], 256, collate_fn=collate, num_workers=4)

    model = CommandNet(args)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.max_epochs)
    model, optimizer = fabric.setup(model, optimizer)
    train_loader, valid_loader, test_loader = fabric.setup_dataloaders(train_loader, valid_loader, test_loader)

    best, waited = 0.0, 0
    for epoch in range(args.max_epochs):
        model.train()
        for mel, label in train_loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(mel), label)
            fabric.backward(loss)
            fabric.clip_gradients(model, optimizer, max_norm=args.clip_norm)
            optimizer.step()
        scheduler.step()
        score = accuracy(model, valid_loader)
        fabric.print(f"epoch {epoch}: validation accuracy {score:.4f}")
        if score > best:
            best, waited = score, 0
            fabric.save("best.ckpt", {"model": model})
        else:
            waited += 1
            if waited > args.patience:
                break
    fabric.load("best.ckpt", {"model": model})
    fabric.print(f"test accuracy {accuracy(model, test_loader):.4f}")


if __name__ == "__main__":
    main()
