"""A loop in the style of torchdistill: a configuration, a box that holds a stage of training,
hooks around each epoch."""
import sys

import numpy
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mtkd_trainer import Run

CONFIG = {
    "epochs": 5, "seed": 3, "batch": 32,
    "criterion": {"temperature": 4.0, "weight": 0.7},
    "optimizer": {"key": "Adam", "kwargs": {"lr": 3e-3}},
    "scheduler": {"key": "CosineAnnealingLR", "kwargs": {"T_max": 5}},
}


def network(width):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, 3))


class DistillationBox:
    """A teacher, a student and all that changes while the student learns."""

    def __init__(self, config, images, labels):
        self.config = config
        self.teacher, self.student = network(64).eval(), network(16)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.student, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.95))
        optimizer = config["optimizer"]
        self.optimizer = getattr(torch.optim, optimizer["key"])(self.student.parameters(), **optimizer["kwargs"])
        scheduler = config["scheduler"]
        self.scheduler = getattr(torch.optim.lr_scheduler, scheduler["key"])(self.optimizer, **scheduler["kwargs"])
        self.source = torch.Generator().manual_seed(config["seed"])
        self.loader = DataLoader(
            TensorDataset(images, labels), config["batch"], shuffle=True, generator=self.source)
        self.noise = numpy.random.default_rng(config["seed"])

    def pre_epoch_process(self):
        self.student.train()

    def forward_process(self, images, labels):
        images = images + torch.from_numpy(self.noise.normal(0, 0.1, tuple(images.shape))).float()
        criterion = self.config["criterion"]
        with torch.no_grad():
            wanted = nn.functional.softmax(self.teacher(images) / criterion["temperature"], 1)
        outputs = self.student(images)
        soft = nn.functional.kl_div(
            nn.functional.log_softmax(outputs / criterion["temperature"], 1), wanted, reduction="batchmean")
        return nn.functional.cross_entropy(outputs, labels) + criterion["weight"] * soft

    def post_forward_process(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.average.update_parameters(self.student)

    def post_epoch_process(self):
        self.scheduler.step()

    def evaluate(self, images, labels):
        self.average.eval()
        with torch.no_grad():
            return 100 * (self.average(images).argmax(1) == labels).float().mean().item()


def main(config=CONFIG):
    torch.manual_seed(config["seed"])
    numpy.random.seed(config["seed"])
    images = torch.randn(384, 1, 8, 8)
    labels = (images.flatten(1) @ torch.randn(64, 3)).argmax(1)
    box = DistillationBox(config, images[:256], labels[:256])
    run = Run()
    state = run.resume(**{name: part for name, part in vars(box).items() if name != "config"})
    for epoch in run.epochs(state):
        box.pre_epoch_process()
        for batch in box.loader:
            box.post_forward_process(box.forward_process(*batch))
        box.post_epoch_process()
        top1 = box.evaluate(images[256:], labels[256:])
        print(f"epoch {epoch}: {top1}", file=sys.stderr)
        run.report(epoch, {"test.acc1": top1}, state)


if __name__ == "__main__":
    main()
