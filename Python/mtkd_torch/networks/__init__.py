"""All network families, built from the same family and parameters as mtkd-sweep's own (`mtkd-sweep models`)."""
from functools import partial

from . import mobile, regnet, residual, shuffle, transformer, vgg
from .parts import Activations, Network  # noqa: F401

FAMILIES = {
    "cifar_resnet": residual.SmallResNet, "cifar_wrn": residual.WideResNet, "cifar_regnet": regnet.SmallRegNet,
    "cifar_mobilenetv2": mobile.SmallMobileNetV2, "cifar_shufflenetv1": shuffle.SmallShuffleNetV1,
    "cifar_shufflenetv2": shuffle.SmallShuffleNetV2, "cifar_vgg": vgg.VGG, "tv_resnet": residual.PhotographResNet,
    "tv_mobilenetv2": mobile.PhotographMobileNetV2, "tv_shufflenetv2": shuffle.PhotographShuffleNetV2,
    "tv_regnet": regnet.PhotographRegNet, "timm_vit": transformer.Transformer,
    "timm_cait": partial(transformer.Transformer, depth_cls=2, layer_scale=1e-5),
}


def build(family: str, parameters: dict, channels: int, classes: int) -> Network:
    """A network whose weights are still to be drawn (`initial.draw`) or loaded.

    `parameters` are those of the family, as `run.student` and `run.teachers` have them in what a trainer reads.
    """
    if family not in FAMILIES:
        raise ValueError(f"there is no network family {family!r}; known: {', '.join(FAMILIES)}")
    return FAMILIES[family](channels, classes, **parameters)
