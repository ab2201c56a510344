"""Photographs as mtkd_torch shows them to a network against what mtkd-sweep's own engine has recorded (`photographs/`): to the bit."""
import os
import pathlib
import struct
import tempfile

SIDE, IMAGES = 16, 10
#: How they are shown, in the order of the record: what a stream is drawn from, and how strongly colours change.
WAYS = {
    "seed 7, epoch 0": ({"seed": 7, "epoch": 0}, 0), "seed 7, epoch 3": ({"seed": 7, "epoch": 3}, 0),
    "seed -2, epoch 1": ({"seed": -2, "epoch": 1}, 0), "view 0": ({"view": 0}, 0), "view 5": ({"view": 5}, 0),
    "seed 7, epoch 0, colours by 0.4": ({"seed": 7, "epoch": 0}, 0.4),
    "seed 8, epoch 2, colours by 1": ({"seed": 8, "epoch": 2}, 1.0), "measured": (None, 0),
    "measured, bicubic": (None, 0)}


def index(folder: str, fixtures, name="index.bin", root=None, change=lambda data: data) -> str:
    """A recorded index as a file of a folder, with another root than the one that stands in the record."""
    data = pathlib.Path(fixtures, "photographs", name).read_bytes()
    old, new = (struct.pack("<Q", len(text)) + text for text in (b"Fixtures", os.fsencode(root or str(fixtures))))
    assert data.count(old) == 1
    path = os.path.join(folder, name)
    pathlib.Path(path).write_bytes(change(data.replace(old, new)))
    return path


def stream(drawn_from: dict | None, place: int):
    from mtkd_trainer.streams import Stream
    if drawn_from is None:
        return None
    if "view" in drawn_from:
        return Stream(0, "view", drawn_from["view"], place)
    return Stream(drawn_from["seed"], "augment", drawn_from["epoch"], place)


def recorded(fixtures, way: str):
    """Of each photograph, in one way to show them: bytes `[3, side, side]`."""
    import numpy
    data = numpy.fromfile(os.path.join(fixtures, "photographs", "views.bin"), numpy.uint8)
    return data.reshape(len(WAYS), IMAGES, 3, SIDE, SIDE)[list(WAYS).index(way)]


def cases(folder: str):
    # The specification's own folder has no photographs.
    ways = WAYS if os.path.isdir(os.path.join(folder, "photographs")) else {}
    return {f"photographs/{way}": {"way": way} for way in ways}


def check(folder: str, case: dict) -> dict:
    """Of each photograph, how many numbers of its normalised image are others: none may be."""
    import numpy
    import torch

    from mtkd_torch.data import Photographs
    from mtkd_trainer import PhotographDataset
    drawn_from, jitter = WAYS[case["way"]]
    # Not in their order: a view is that of its image, wherever it stands in a batch.
    places = [4, 0, 9, 8, 1, 2, 3, 5, 6, 7]
    with tempfile.TemporaryDirectory() as home:
        path = index(home, os.path.abspath(folder), "bicubic.bin" if "bicubic" in case["way"] else "index.bin")
        dataset = PhotographDataset(path)
        source = Photographs(dataset, torch.device("cpu"), torch.float32, (drawn_from or {}).get("seed", 0), 0, jitter)
        if drawn_from is None:
            got = source.plain(places)
        elif "seed" in drawn_from:
            got = source.images(places, drawn_from["epoch"])
        else:
            got = source._normalised(source.shown("train", places, [stream(drawn_from, place) for place in places]))
    mean, std = (numpy.array(numbers).reshape(3, 1, 1) for numbers in (dataset.mean, dataset.std))
    want = ((recorded(folder, case["way"]) / 255 - mean) / std).astype(numpy.float32)[places]
    return {
        f"image {place}": float("inf") if (got[row].numpy() != want[row]).any() else 0.0
        for row, place in enumerate(places)}
