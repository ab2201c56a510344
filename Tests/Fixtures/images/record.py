"""Makes small images of every kind that is read, and records what the Python imaging library
decodes and resamples them to.

    /usr/bin/python3 record.py

The files beside this one were made with Pillow 9.4.0 over libjpeg-turbo 2.1.5 and libpng 1.6.39 of Debian 12.
`NAME.rgb` holds width and height as two bytes, then the pixels; `NAME.centre` the middle 16 x 16 of the image
with its shorter side resampled to 20; `NAME.crop` the part from (3, 2) of 17 x 11 pixels resampled to 8 x 8.
`photo.jpg.enhanced` holds that crop with its brightness, contrast and saturation times 0.6 and times 1.7,
each alone, then all three in turn (made with Pillow 13.0.0: the formula has not changed).
"""
import math

from PIL import Image, ImageEnhance, ImageFile


def picture(width, height):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel(
                (x, y),
                (int(127 + 120 * math.sin(x / 3)), int(127 + 120 * math.cos(y / 4 + x / 9)), (x * 7 + y * 5) % 256))
    return image


def record(name):
    image = Image.open(name).convert("RGB")
    with open(name + ".rgb", "wb") as file:
        file.write(bytes(image.size) + image.tobytes())
    width, height = image.size
    shorter = 20
    if width >= height:
        size = (shorter * width // height, shorter)
    else:
        size = (shorter, shorter * height // width)
    middle = image.resize(size, Image.BILINEAR)
    left, top = round((size[0] - 16) / 2), round((size[1] - 16) / 2)
    with open(name + ".centre", "wb") as file:
        file.write(middle.crop((left, top, left + 16, top + 16)).tobytes())
    with open(name + ".crop", "wb") as file:
        file.write(image.crop((3, 2, 20, 13)).resize((8, 8), Image.BILINEAR).tobytes())


def enhance(name):
    image = Image.open(name).convert("RGB").crop((3, 2, 20, 13)).resize((8, 8), Image.BILINEAR)
    kinds = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    results = [kind(image).enhance(factor) for kind in kinds for factor in (0.6, 1.7)]
    for kind, factor in zip(kinds, (1.2, 0.7, 1.4)):
        image = kind(image).enhance(factor)
    with open(name + ".enhanced", "wb") as file:
        for result in results + [image]:
            file.write(result.tobytes())


wide, tall = picture(37, 29), picture(23, 41)
wide.save("photo.jpg", quality=85)
tall.save("progressive.jpg", quality=70, progressive=True)
wide.convert("L").save("gray.jpg", quality=80)
tall.convert("CMYK").save("cmyk.jpg", quality=90)
wide.save("colour.png")
tall.convert("P", palette=Image.ADAPTIVE, colors=16).save("palette.png")
alpha = wide.convert("RGBA")
alpha.putalpha(wide.convert("L"))
alpha.save("alpha.png")
tall.convert("L").save("gray.png")
for name in ["photo.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg", "colour.png", "palette.png", "alpha.png", "gray.png"]:
    record(name)
enhance("photo.jpg")
