"""Channels, palettes, masks, histograms, an animated GIF and metadata with Pillow."""
import io

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageSequence, ImageStat, PngImagePlugin

yy, xx = np.mgrid[0:100, 0:100]
disc = ((xx - 50) ** 2 + (yy - 50) ** 2 < 40**2).astype(np.uint8) * 255
mask = Image.fromarray(disc)
gradient = Image.merge("RGB", (Image.fromarray((xx * 2).astype(np.uint8)), Image.fromarray((yy * 2).astype(np.uint8)), Image.new("L", (100, 100), 60)))
cut = Image.composite(gradient, Image.new("RGB", (100, 100), "navy"), mask)
r, g, b = cut.split()
print("means:", [round(v, 3) for v in ImageStat.Stat(cut).mean], "extremes:", cut.getextrema())
print("masked mean red:", round(ImageStat.Stat(r, mask).mean[0], 3), "disc pixels:", mask.histogram()[255], "bbox:", mask.getbbox())
print("difference:", ImageChops.difference(cut, gradient).getbbox(), "inverted corner:", ImageChops.invert(cut).getpixel((0, 0)))

palette = cut.quantize(colors=8, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
print("palette mode:", palette.mode, "colours:", len(palette.getcolors()), "pixels:", sum(n for n, _ in palette.getcolors()))
print("threshold share:", float(np.asarray(g.point(lambda v: 255 if v > 100 else 0)).astype(bool).mean().round(4)))
hsv = np.asarray(cut.convert("HSV"))
print("hue of the corner:", int(hsv[0, 0, 0]), "cmyk:", cut.convert("CMYK").getpixel((0, 0)))

frames = []
for k in range(6):
    im = Image.new("L", (60, 40), 0)
    ImageDraw.Draw(im).rectangle((k * 8, 10, k * 8 + 12, 30), fill=255)
    frames.append(im)
gif = io.BytesIO()
frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
anim = Image.open(gif)
lefts = [f.convert("L").point(lambda v: 255 if v > 127 else 0).getbbox()[0] for f in ImageSequence.Iterator(anim)]
print("frames:", anim.n_frames, "left edges:", lefts, "duration:", anim.info["duration"])

info = PngImagePlugin.PngInfo()
info.add_text("Author", "Åsa")
buf = io.BytesIO()
cut.save(buf, "PNG", pnginfo=info, dpi=(300, 300))
png = Image.open(io.BytesIO(buf.getvalue()))
print("png:", png.text["Author"], [round(v) for v in png.info["dpi"]], buf.getvalue()[:4])
