"""Makes the two photographs that `../images` has none of: one that is shrunk a lot, and a strip that
no random part fits into.

    python3 make.py

Made with Pillow 13.0.0. The other files are written by mtkd-sweep's own engine: see ../README.md.
"""
import math

from PIL import Image


def picture(width, height):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel(
                (x, y),
                (int(127 + 120 * math.sin(x / 5)), int(127 + 120 * math.cos(y / 7 + x / 11)), (x * 7 + y * 5) % 256))
    return image


picture(151, 113).save("large.jpg", quality=75)
picture(60, 2).save("strip.png")
