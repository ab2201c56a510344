"""Photographs as mtkd-sweep's own trainer shows them, to the bit: decoded by Pillow, resampled in its integers.

Pillow's own resampling rounds some pixels otherwise from version to version, so it is not used.
"""
from __future__ import annotations

import io
import math

import numpy
from PIL import Image

#: Weights of resampling are integers in units of 2 to the power of minus this.
_FRACTION = 22


def decoded(data: bytes):
    """The pixels of a JPEG or PNG: bytes `[height, width, 3]`. Alpha is dropped, and of 16 bits the lower 8."""
    image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
    if image.mode.startswith("I"):
        gray = (numpy.asarray(image).astype(numpy.int64) >> 8).astype(numpy.uint8)
        return numpy.repeat(gray[..., None], 3, 2)
    return numpy.asarray(image.convert("RGB"))


def measured(pixels, side: int, shorter: int, is_bicubic: bool = False):
    """The middle of a photograph whose shorter side was resampled to `shorter` pixels: `[3, side, side]`."""
    height, width = pixels.shape[:2]
    longer = shorter * max(height, width) // min(height, width)
    size = (shorter, longer) if width >= height else (longer, shorter)
    # Halves to even.
    return _planes(_resampled(pixels, size, [round((extent - side) / 2) for extent in size], side, is_bicubic))


def drawn(pixels, side: int, stream, jitter: float = 0.0):
    """A random part, resampled to `[3, side, side]`, mirrored every other time, its colours changed where `jitter` is not 0."""
    top, left, height, width = random_box(*pixels.shape[:2], stream)
    square = _resampled(pixels[top:top + height, left:left + width], (side, side), (0, 0), side)
    (is_mirrored,) = stream.below(2)
    if jitter:
        square = jittered(square, jitter, stream)
    return _planes(square[:, ::-1] if is_mirrored else square)


def random_box(height: int, width: int, stream) -> tuple[int, int, int, int]:
    """Top, left, height and width of 8 % to all of the area, 3:4 to 4:3 (Szegedy et al. 2015), as TorchVision draws it."""
    for _ in range(10):
        area = height * width * _between(stream, 0.08, 1.0)
        ratio = math.exp(_between(stream, math.log(0.75), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            top, left = stream.below(height - h + 1, width - w + 1)
            return top, left, h, w
    # Nothing fitted: the middle, as near to the whole as the ratios allow.
    w, h = width, height
    if width / height < 0.75:
        h = round(width / 0.75)
    elif width / height > 4 / 3:
        w = round(height * 4 / 3)
    return (height - h) // 2, (width - w) // 2, h, w


def jittered(square, strength: float, stream):
    """Brightness, contrast and saturation in a random order, by random factors around 1."""
    for what in stream.shuffled(3):
        square = enhanced(square, what, _between(stream, max(0.0, 1 - strength), 1 + strength))
    return square


def enhanced(square, what: int, factor: float):
    """Brightness (0), contrast (1) or saturation (2) times `factor`: the bytes of Pillow's `ImageEnhance`."""
    gray = (square.astype(numpy.int64) @ [19595, 38470, 7471] + 0x8000) >> 16
    # What a factor of 0 makes of it.
    start = (0, int(gray.sum() / gray.size + 0.5), gray[..., None])[what]
    start = numpy.broadcast_to(start, square.shape).astype(numpy.float32)
    moved = start + numpy.float32(factor) * (square.astype(numpy.float32) - start)
    return numpy.clip(moved, 0, 255).astype(numpy.uint8)


def _between(stream, low: float, high: float) -> float:
    return low + (high - low) * float(stream.uniforms(1)[0])


def _planes(square):
    return numpy.ascontiguousarray(square.transpose(2, 0, 1))


def _resampled(pixels, size, corner, side: int, is_bicubic: bool = False):
    """The square of `side` pixels at `corner` of pixels resampled to `size`, both (rows, columns)."""
    rows, columns = (
        _shares(count, extent, first, side, is_bicubic)
        for count, extent, first in zip(pixels.shape[:2], size, corner))
    # Only rows that count for the square, columns before rows, each rounded to bytes.
    low, high = rows[0][0], rows[0][-1] + rows[1].shape[1]
    across = _along(pixels[low:high], 1, *columns)
    return _along(across, 0, rows[0] - low, rows[1])


def _shares(count: int, size: int, first: int, number: int, is_bicubic: bool):
    """Of the places from `first` on of `size`: the first of `count` that each is made of, and how much each counts.

    A triangle or Keys' cubic, as wide as the shrinking is strong.
    """
    scale = count / size
    stretch = max(scale, 1.0)
    reach = 2 * stretch if is_bicubic else stretch
    centres = (numpy.arange(first, first + number) + 0.5) * scale
    # Towards zero, as C rounds.
    low = numpy.maximum((centres - reach + 0.5).astype(numpy.int64), 0)
    high = numpy.minimum((centres + reach + 0.5).astype(numpy.int64), count)
    places = low[:, None] + numpy.arange((high - low).max())
    x = numpy.abs((places - centres[:, None] + 0.5) / stretch)
    if is_bicubic:
        near, far = (1.5 * x - 2.5) * x * x + 1, (((x - 5) * x + 8) * x - 4) * -0.5
        weights = numpy.where(x < 1, near, numpy.where(x < 2, far, 0.0))
    else:
        weights = numpy.where(x < 1, 1 - x, 0.0)
    weights[places >= high[:, None]] = 0.0
    total = numpy.zeros(number)
    # One behind the other, in this order.
    for column in weights.T:
        total += column
    parts = weights / numpy.where(total == 0, 1.0, total)[:, None] * (1 << _FRACTION)
    return low, numpy.where(parts < 0, parts - 0.5, parts + 0.5).astype(numpy.int32)


def _along(pixels, axis: int, low, shares):
    """Sums of 32 bits: the shares of a place are together 2^22, or a quarter more where some are negative."""
    shape = [1, 1, 1]
    shape[axis] = len(low)
    extents = list(pixels.shape)
    extents[axis] = len(low)
    total = numpy.full(extents, 1 << (_FRACTION - 1), numpy.int32)
    for place, share in enumerate(shares.T):
        # Places past the end count for nothing.
        taken = pixels.take(numpy.minimum(low + place, pixels.shape[axis] - 1), axis)
        total += taken * share.reshape(shape)
    return numpy.clip(total >> _FRACTION, 0, 255).astype(numpy.uint8)
