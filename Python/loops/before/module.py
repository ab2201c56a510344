"""A loop in the style of Lightning: a module that says how a step goes, a trainer that
walks through the epochs."""
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, 4))

    def training_step(self, batch):
        images, labels = batch
        # Mixed with one another by a share that chance decides.
        share, order = torch.distributions.Beta(0.4, 0.4).sample(), torch.randperm(len(images))
        outputs = self.body(share * images + (1 - share) * images[order])
        loss = nn.functional.cross_entropy
        return share * loss(outputs, labels) + (1 - share) * loss(outputs, labels[order])

    def validation_step(self, batch):
        images, labels = batch
        return (self.body(images).argmax(1) == labels).float().mean() * 100

    def configure_optimizers(self, steps):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3)
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)


class Trainer:
    def __init__(self, max_epochs):
        self.max_epochs = max_epochs
        self.scaler = torch.amp.GradScaler("cpu", enabled=False)

    def fit(self, module, train, validation):
        optimizer, scheduler = module.configure_optimizers(self.max_epochs * len(train))
        for epoch in range(self.max_epochs):
            module.train()
            for batch in train:
                optimizer.zero_grad()
                self.scaler.scale(module.training_step(batch)).backward()
                self.scaler.step(optimizer)
                self.scaler.update()
                scheduler.step()
            module.eval()
            with torch.no_grad():
                scores = [module.validation_step(batch).item() for batch in validation]
            self.log(epoch, sum(scores) / len(scores))

    def log(self, epoch, score):
        print(f"epoch {epoch}: {score}", file=sys.stderr)


def main():
    torch.manual_seed(7)
    images = torch.randn(384, 1, 8, 8)
    labels = (images.flatten(1) @ torch.randn(64, 4)).argmax(1)
    train = DataLoader(TensorDataset(images[:256], labels[:256]), 32, shuffle=True, num_workers=2)
    validation = DataLoader(TensorDataset(images[256:], labels[256:]), 64)
    Trainer(max_epochs=5).fit(Classifier(), train, validation)


if __name__ == "__main__":
    main()
