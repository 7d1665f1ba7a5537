"""Turn PDF pages into images with pypdfium2 and with pdf2image (pdftoppm), compare pixels."""
import hashlib
import io

import numpy as np
import pypdfium2 as pdfium
from pdf2image import convert_from_bytes
from reportlab.pdfgen import canvas

buf = io.BytesIO()
pdf = canvas.Canvas(buf, pagesize=(360, 216), invariant=1)
pdf.setFillColorRGB(0.8, 0.1, 0.1)
pdf.rect(36, 36, 144, 144, stroke=0, fill=1)
pdf.setFillColorRGB(0.1, 0.2, 0.7)
pdf.circle(270, 108, 60, stroke=0, fill=1)
pdf.showPage()
pdf.setFont("Helvetica", 40)
pdf.drawString(40, 100, "Page two")
pdf.showPage()
pdf.save()
data = buf.getvalue()

doc = pdfium.PdfDocument(data)
print("pages:", len(doc), "size:", [round(v) for v in doc[0].get_size()])
text = doc[1].get_textpage().get_text_bounded()
print("text:", text.strip())
images = [doc[k].render(scale=2).to_pil().convert("RGBA") for k in range(len(doc))]
for im in images:
    print("pdfium:", im.size, hashlib.sha256(im.tobytes()).hexdigest())
poppler = convert_from_bytes(data, dpi=144, fmt="ppm")
print("poppler:", [im.size for im in poppler], [im.mode for im in poppler])

for name, im in (("pdfium", images[0]), ("poppler", poppler[0])):
    rgb = np.asarray(im.convert("RGB")).astype(int)
    red = (rgb[..., 0] > 180) & (rgb[..., 2] < 60)
    blue = (rgb[..., 2] > 150) & (rgb[..., 0] < 60)
    print(name, "red px/1000:", round(red.sum() / 1000), "blue px/1000:", round(blue.sum() / 1000), "expected:", 288 * 288 // 1000, round(np.pi * 120**2 / 1000))
grey = [np.asarray(im.convert("L")).astype(float) for im in (images[1], poppler[1])]
print("text pages alike:", bool(np.abs(grey[0] - grey[1]).mean() < 8), "ink present:", [bool((g < 128).sum() > 500) for g in grey])
doc.close()
