"""A plain loop of PyTorch: momentum, a falling rate, dropout, pictures that are flipped by chance,
two loader processes."""
import random
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mtkd_trainer import Run


class Shapes(Dataset):
    """Noisy stripes: rows for one class, columns for the other."""

    def __init__(self, count, flips):
        source = torch.Generator().manual_seed(count)
        self.labels = torch.randint(2, (count,), generator=source)
        stripes = (torch.arange(8) // 2 % 2).float()
        self.images = torch.stack([
            (stripes.expand(8, 8) if label else stripes.expand(8, 8).T) for label in self.labels
        ]).unsqueeze(1) + 2.5 * torch.randn(count, 1, 8, 8, generator=source)
        self.flips = flips

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = self.images[index]
        if self.flips and random.random() < 0.5:
            image = image.flip(-1)
        return image, self.labels[index]


def accuracy(model, loader):
    model.eval()
    with torch.no_grad():
        right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in loader)
    return 100 * right / len(loader.dataset)


def main(seed=1, epochs=5):
    torch.manual_seed(seed)
    random.seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 4], 0.1)
    loader = DataLoader(Shapes(256, True), batch_size=32, shuffle=True, num_workers=2)
    tests = DataLoader(Shapes(200, False), batch_size=100)
    run = Run()
    state = run.resume(model=model, optimizer=optimizer, scheduler=scheduler, loader=loader)
    for epoch in run.epochs(state):
        model.train()
        for images, labels in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
        scheduler.step()
        acc = accuracy(model, tests)
        print(f"epoch {epoch}: {acc}", file=sys.stderr)
        run.report(epoch, {"test.acc1": acc}, state)


if __name__ == "__main__":
    main()
