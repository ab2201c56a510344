"""What pycocotools makes of objects that are nearly where they should be: the numbers of numbers.json.

    mtkd-sweep datasets synthetic-shapes-64x64-3 --export shapes --train-images 1 --test-images 60
    python make.py shapes > numbers.json          # pycocotools 2.0.11, NumPy

Detections are made from the truth by whole numbers, so that `DisplacedMaskTests` makes the same ones.
"""

import contextlib
import io
import json
import os
import sys

import numpy
from pycocotools import mask as runs
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def moved(mask, across, down):
    """With nothing coming in from outside."""
    result = numpy.zeros_like(mask)
    height, width = mask.shape
    result[max(down, 0):height + min(down, 0), max(across, 0):width + min(across, 0)] = mask[
        max(-down, 0):height + min(-down, 0), max(-across, 0):width + min(-across, 0)]
    return result


def detections(truth):
    found = []
    categories = sorted(truth.getCatIds())
    for place, image in enumerate(sorted(truth.getImgIds())):
        those = []
        for number, annotation in enumerate(truth.imgToAnns[image]):
            n = 7 * place + 3 * number
            moves = [] if n % 5 == 4 else [(n % 4 - 1, n // 2 % 3 - 1, 1)]
            if n % 3 == 0:
                moves.append((8, 0, 2))
            label = categories.index(annotation["category_id"])
            if n % 11 == 0:
                label = (label + 1) % 3
            for across, down, divisor in moves:
                mask = moved(truth.annToMask(annotation), across, down)
                if mask.any():
                    those.append((37 * n % 101 / 101 / divisor, categories[label], mask))
        for score, category, mask in sorted(those, key=lambda one: -one[0]):
            code = runs.encode(numpy.asfortranarray(mask))
            code["counts"] = code["counts"].decode()
            found.append({"image_id": image, "category_id": category, "score": score, "segmentation": code,
                          "box": list(runs.toBbox(code))})
    return found


def numbers(truth, found, kind):
    member = {"segm": lambda one: {"segmentation": one["segmentation"]}, "bbox": lambda one: {"bbox": one["box"]}}[kind]
    records = [{key: one[key] for key in ("image_id", "category_id", "score")} | member(one) for one in found]
    evaluation = COCOeval(truth, truth.loadRes(records), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    classes = [float(values[values > -1].mean()) for values in precision.transpose(2, 0, 1)]
    return {"stats": [float(value) for value in evaluation.stats], "perCategory": classes}


def main():
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(os.path.join(sys.argv[1], "annotations", "instances_val.json"))
        found = detections(truth)
        result = {"images": len(truth.getImgIds()), "detections": len(found),
                  "mask": numbers(truth, found, "segm"), "box": numbers(truth, found, "bbox")}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
