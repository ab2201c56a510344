"""What every method is."""
from __future__ import annotations

from torch import nn

from ..distillation import Batch, Context, Loss


class Method(nn.Module):
    """What a student learns from besides its labels.

    - `trained`: what is trained beside the student by its optimiser, under the names that fixtures have for it.
    - `learned`: what learns by itself: policies, critics, weight networks.
    """

    skips_short_batches = False
    """Whether batches smaller than the recipe's are left out, as if their images did not exist."""
    undecayed: tuple[str, ...] = ()
    """Names in `trained` that weight decay spares."""

    def __init__(self, options: dict, context: Context):
        super().__init__()
        self.options, self.trained, self.learned = options, nn.Module(), nn.Module()

    def loss(self, batch: Batch) -> Loss:
        raise NotImplementedError

    def finish_step(self, batch: Batch, loss: Loss, after) -> dict:
        """After the student's step. `after` lets the method look further (`training.After`).

        Returns `policy`, a list of steps, and what else the fixtures record of it.
        """
        return {"policy": []}

    def finish_epoch(self) -> list[dict]:
        return []
