"""Records what TorchVision's MobileNetV2 with published weights says of two images of the fill rule.

    python3 record_mobilenetv2.py mobilenet_v2-torchvision.safetensors > mobilenetv2_logits.json

The file beside this one was made with torch 1.13.1 and torchvision 0.14.1 of Debian 12, in double precision.
"""
import json
import sys

import torch
import torchvision

import tensors

SHAPE = (2, 3, 96, 96)
SEED = 7

arrays, _ = tensors.read(sys.argv[1])
network = torchvision.models.mobilenet_v2(num_classes=1000)
network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()}, strict=True)
network.double().eval()
with torch.no_grad():
    logits = network(torch.from_numpy(tensors.images(SEED, SHAPE)).double())
json.dump({"torch": torch.__version__, "torchvision": torchvision.__version__, "seed": SEED, "shape": SHAPE,
           "logits": [[float(f"{v:.10g}") for v in row] for row in logits.tolist()]}, sys.stdout)
