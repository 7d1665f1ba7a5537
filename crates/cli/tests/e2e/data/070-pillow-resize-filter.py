"""Resize, crop, rotate and filter a generated photo-like image with Pillow."""
import hashlib
import io

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

yy, xx = np.mgrid[0:240, 0:320]
rgb = np.stack([xx * 255 // 319, yy * 255 // 239, (xx // 20 + yy // 20) % 2 * 200 + 20], axis=-1).astype(np.uint8)
photo = Image.fromarray(rgb)


def digest(im):
    return hashlib.sha256(im.convert("RGBA").tobytes()).hexdigest()[:16]


steps = {
    "original": photo,
    "nearest": photo.resize((100, 75), Image.Resampling.NEAREST),
    "lanczos": photo.resize((160, 120), Image.Resampling.LANCZOS),
    "thumb": ImageOps.contain(photo, (90, 90)),
    "fit": ImageOps.fit(photo, (64, 64), centering=(0.5, 0.5)),
    "rotated": photo.rotate(90, expand=True),
    "mirror": ImageOps.mirror(photo).crop((10, 20, 110, 90)),
    "blur": photo.filter(ImageFilter.GaussianBlur(3)),
    "sharp": photo.filter(ImageFilter.UnsharpMask(radius=2, percent=150)),
    "edges": photo.convert("L").filter(ImageFilter.FIND_EDGES),
    "bright": ImageEnhance.Brightness(photo).enhance(1.4),
    "poster": ImageOps.posterize(photo, 2),
}
for name, im in steps.items():
    print(f"{name:<9}{im.mode:<4}{str(im.size):<11}mean {np.asarray(im).mean():7.2f} {digest(im)}")

for fmt, options in (("PNG", {}), ("BMP", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 92, "subsampling": 0})):
    buf = io.BytesIO()
    photo.save(buf, fmt, **options)
    error = np.abs(np.asarray(Image.open(buf).convert("RGB")).astype(int) - rgb).mean()
    print(fmt, "lossless" if error == 0 else f"lossy, mean error below 4: {error < 4}")
