"""Makes images that decoders complain of, and records what the Python imaging library makes of them.

    python3 record_odd.py

The files in `odd` were made with Pillow 13.0.0 over libjpeg-turbo 3.2.0 and zlib 1.2.13. `NAME.rgb` holds
width and height as two bytes, then the pixels; it is empty where Pillow refuses the file.
`../photo.jpg.bicubic` and `../palette.png.bicubic` hold the middle 16 x 16 of the image with its shorter side
resampled to 20 by Image.BICUBIC.
"""
import io
import os
import struct

from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
odd = os.path.join(here, "odd")
os.makedirs(odd, exist_ok=True)


def read(name):
    with open(os.path.join(here, name), "rb") as file:
        return file.read()


def saved(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def place(data, marker):
    return data.index(bytes([0xFF, marker]))


photo, picture = read("photo.jpg"), read("colour.png")
image = Image.open(os.path.join(here, "photo.jpg"))
sos = place(photo, 0xDA)
restarts = saved(image, format="JPEG", quality=85, restart_marker_blocks=2)
swapped = restarts.replace(b"\xff\xd1", b"\xff\xd5", 1)
cmyk = read("cmyk.jpg")
adobe = place(cmyk, 0xEE)
unmarked = cmyk[:adobe] + cmyk[adobe + 2 + struct.unpack(">H", cmyk[adobe + 2:adobe + 4])[0]:]
iend, idat = picture.rindex(b"IEND") - 4, picture.index(b"IDAT")
spoilt = bytearray(picture)
spoilt[idat + 4 + struct.unpack(">I", picture[idat - 4:idat])[0]] ^= 1
text = struct.pack(">I", 4) + b"tEXt" + b"a\0bc" + b"\0\0\0\0"
parameters = bytearray(photo)
parameters[sos + 2 + struct.unpack(">H", photo[sos + 2:sos + 4])[0] - 2] = 0

files = {
    "sos.jpg": bytes(parameters),
    "before-marker.jpg": photo[:sos] + b"\x00\x12\x34" + photo[sos:],
    "before-end.jpg": photo[:-2] + b"\x00\x12\x34" + photo[-2:],
    "restarts.jpg": swapped,
    "after-end.jpg": photo + b"junk",
    "no-end.jpg": photo[:-2],
    "cut.jpg": photo[:-120],
    "zeros.jpg": photo[:-200] + bytes(198) + photo[-2:],
    "unmarked.jpg": unmarked,
    "no-iend.png": picture[:iend],
    "cut.png": picture[:iend - 60],
    "idat-sum.png": bytes(spoilt),
    "text-sum.png": picture[:33] + text + picture[33:],
    "after-end.png": picture + b"junk",
}
for name, data in files.items():
    path = os.path.join(odd, name)
    with open(path, "wb") as file:
        file.write(data)
    with open(path + ".rgb", "wb") as file:
        try:
            decoded = Image.open(path).convert("RGB")
            file.write(bytes(decoded.size) + decoded.tobytes())
            print(name, "decodes")
        except Exception as error:
            print(name, "refused:", error)

for name in ["photo.jpg", "palette.png"]:
    whole = Image.open(os.path.join(here, name)).convert("RGB")
    width, height = whole.size
    size = (20 * width // height, 20) if width >= height else (20, 20 * height // width)
    middle = whole.resize(size, Image.BICUBIC)
    left, top = round((size[0] - 16) / 2), round((size[1] - 16) / 2)
    with open(os.path.join(here, name + ".bicubic"), "wb") as file:
        file.write(middle.crop((left, top, left + 16, top + 16)).tobytes())
