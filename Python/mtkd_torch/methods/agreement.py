"""AE-KD: the combination of teachers whose gradients agree best (`methods.md` 5.4)."""
import numpy
import torch
from torch import Tensor

from .. import weights
from ..distillation import Batch, Loss, Weighted


class AEKD(Weighted):
    """One weight a teacher for a whole batch, from gradients at the logits.

    A feature term is weighed by gradients at the student's map, each of length 1.
    """

    def loss(self, batch: Batch) -> Loss:
        logits = batch.student.logits
        vectors = gradient_vectors(logits, lambda leaf: self.logit_costs(leaf, batch.teachers))
        # First, because running statistics must not move between the terms and their gradients.
        feature_weights = self._feature_weights(batch) if self.has_features else None
        return self.weigh(self.terms(batch), _rows(self._solve(vectors), logits), feature_weights)

    def _feature_weights(self, batch: Batch) -> Tensor:
        map = batch.student.map
        # Running statistics move once a step, in `terms`.
        state = {name: buffer.clone() for name, buffer in self.trained.named_buffers()}
        vectors = gradient_vectors(map, lambda leaf: self.features(leaf, batch.teachers)[1])
        for name, buffer in self.trained.named_buffers():
            buffer.copy_(state[name])
        lengths = numpy.linalg.norm(vectors, axis=1)
        if not (lengths > 0).all() or not numpy.isfinite(lengths).all():
            return _rows(numpy.full(len(vectors), 1 / len(vectors)), map)
        shares = self._solve(vectors / lengths[:, None]) / lengths
        return _rows(shares / shares.sum(), map)

    def _solve(self, vectors: numpy.ndarray) -> numpy.ndarray:
        count, bound = len(vectors), self.options["cmax"]
        if self.options["aekdSolver"] == "exact" or count == 1:
            return weights.minimum_norm(vectors, bound)
        # Where the released solver often stops, at its starting point: the bound for the first, as long as it lasts.
        bound = max(bound, 1 / count)
        return numpy.clip(1 - bound * numpy.arange(count), 0, bound)


def _rows(shares: numpy.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(shares).to(like).expand(len(like), -1)


def gradient_vectors(point: Tensor, costs) -> numpy.ndarray:
    """v of each teacher: the mean over samples of the gradient of the batch mean of its cost, in 64 bits."""
    leaf = point.detach().requires_grad_()
    means = costs(leaf).mean(0)
    gradients = [torch.autograd.grad(mean, leaf, retain_graph=True)[0] for mean in means]
    return numpy.stack([g.double().mean(0).flatten().cpu().numpy() for g in gradients])
