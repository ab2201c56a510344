"""Losses between a student and its teachers, one value a sample: `[batch]`. Teachers are constants."""
import torch
from torch import Tensor
from torch.nn import functional as F

# Far below the rounding of any sum of squares that matters: gives a zero row a gradient of 0.
_TINY = 1e-30


def row_norms(rows: Tensor) -> Tensor:
    return (rows.square().sum(1) + _TINY).sqrt()


def cross_entropy(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    return F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)


def divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² KL(softmax(z^m / T) ‖ softmax(z^S / T))."""
    own = F.log_softmax(student / temperature, -1)
    target = F.log_softmax(teacher.detach() / temperature, -1)
    return F.kl_div(own, target, reduction="none", log_target=True).sum(-1) * temperature ** 2


def feature_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """FitNet: the mean over channels and positions of (x - F)²."""
    return (student - teacher.detach()).square().mean((1, 2, 3))


def spatial_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """KL of maps as distributions over positions, the mean over channels."""
    return divergence(student.flatten(2), teacher.flatten(2), temperature).mean(1)


def aligned(map: Tensor, height: int, width: int) -> Tensor:
    """A map in another size: averaged where it is at least as high, else bilinear."""
    if tuple(map.shape[2:]) == (height, width):
        return map
    if map.shape[2] >= height:
        return F.adaptive_avg_pool2d(map, (height, width))
    return F.interpolate(map, (height, width), mode="bilinear", align_corners=False)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """a · b / max(|a| |b|, 1e-8): a zero vector gives 0."""
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)).clamp_min(1e-8)


def pearson(a: Tensor, b: Tensor) -> Tensor:
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (row_norms(a) * row_norms(b) + 1e-8)


def dist_terms(student: Tensor, target: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """DIST: one minus the correlation with probabilities, of each sample over classes, and of classes over the batch."""
    p = F.softmax(student / temperature, 1)
    inter = temperature ** 2 * (1 - pearson(p, target))
    if p.shape[0] == 1:
        return inter, torch.zeros_like(inter[0])
    return inter, temperature ** 2 * (1 - pearson(p.t(), target.t())).mean()


def direct_norm(student: Tensor, teacher: Tensor, directions: Tensor) -> Tensor:
    """ND: 1 - g · e / max(|g|, |f|), for e of each sample's class. Of equal lengths the student's counts."""
    lengths = row_norms(student)
    longest = lengths + F.relu(row_norms(teacher.detach()) - lengths)
    return 1 - (student * directions).sum(1) / longest


def directions(means: Tensor) -> Tensor:
    """Rows of length 1."""
    return (means / row_norms(means)[:, None]).detach()


def attention_distance(student: list[Tensor], teacher: list[Tensor]) -> Tensor:
    """AT: squared differences of attention maps, stages paired from the last one backwards."""
    total = 0
    for own, other in zip(reversed(student), reversed(teacher)):
        height, width = min(own.shape[2], other.shape[2]), min(own.shape[3], other.shape[3])
        total = total + (_attention(own, height, width) - _attention(other.detach(), height, width)).square().mean(1)
    return total


def _attention(map: Tensor, height: int, width: int) -> Tensor:
    if map.shape[2] > height or map.shape[3] > width:
        map = F.adaptive_avg_pool2d(map, (height, width))
    energy = map.square().sum(1).flatten(1)
    return energy / row_norms(energy)[:, None]


def relation(kind, student: Tensor, teacher: Tensor) -> Tensor:
    """The mean Huber difference of what samples are to each other by `kind`, `angles` or `distances`: shape []."""
    return F.smooth_l1_loss(kind(student), kind(teacher.detach()))


def angles(points: Tensor) -> Tensor:
    """Of all ordered triples of samples."""
    differences = points[None] - points[:, None]
    lengths = (differences.square().sum(2) + _TINY).sqrt().clamp_min(1e-12)
    units = differences / lengths[..., None]
    return units @ units.transpose(1, 2)


def distances(points: Tensor) -> Tensor:
    """Of all pairs, divided by the mean of the positive ones."""
    squares = points.square().sum(1)
    raw = squares[None] + squares[:, None] - 2 * points @ points.t()
    off = 1 - torch.eye(len(points)).to(points)
    roots = raw.clamp_min(1e-12).sqrt() * off
    positive = (roots > 0).sum().clamp_min(1)
    mean = roots.sum() / positive
    return roots / torch.where(mean > 0, mean, torch.ones_like(mean))
