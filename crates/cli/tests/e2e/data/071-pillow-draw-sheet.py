"""Draw shapes and text, and lay out a contact sheet with Pillow."""
import hashlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

font = ImageFont.load_default(18)
cards = []
for k, (label, colour) in enumerate([("circle", "tomato"), ("square", "steelblue"), ("star", "gold"), ("arc", "seagreen"), ("line", "purple"), ("poly", "#ff8800")]):
    card = Image.new("RGB", (140, 120), "white")
    d = ImageDraw.Draw(card)
    if label == "circle":
        d.ellipse((40, 15, 100, 75), fill=colour, outline="black", width=2)
    elif label == "square":
        d.rounded_rectangle((40, 15, 100, 75), radius=12, fill=colour)
    elif label == "star":
        radius = [34, 14] * 5
        d.polygon([(round(70 + r * np.sin(i * np.pi / 5)), round(48 - r * np.cos(i * np.pi / 5))) for i, r in enumerate(radius)], fill=colour)
    elif label == "arc":
        d.arc((40, 15, 100, 75), 30, 300, fill=colour, width=6)
    elif label == "line":
        d.line([(30, 70), (60, 20), (85, 65), (115, 15)], fill=colour, width=5, joint="curve")
    else:
        d.regular_polygon((70, 47, 32), n_sides=6, rotation=15, fill=colour, outline="black")
    d.text((70, 98), f"{k + 1} {label}", font=font, fill="black", anchor="mm")
    cards.append(card)

sheet = Image.new("RGB", (3 * 150 + 10, 2 * 130 + 10), "#dddddd")
for k, card in enumerate(cards):
    sheet.paste(card, (10 + k % 3 * 150, 10 + k // 3 * 130))
    print(k + 1, "ink:", int((np.asarray(card.convert("L"))[:85] < 250).sum()), "px")
overlay = Image.new("RGBA", sheet.size, (0, 0, 0, 0))
ImageDraw.Draw(overlay).text((sheet.width // 2, sheet.height // 2), "SAMPLE", font=ImageFont.load_default(60), fill=(255, 0, 0, 90), anchor="mm")
final = Image.alpha_composite(sheet.convert("RGBA"), overlay)
box = ImageDraw.Draw(sheet).textbbox((0, 0), "Contact sheet", font=font)
print("text is wider than high:", box[2] - box[0] > box[3] - box[1], "grey border:", sheet.getpixel((3, 3)), "circle:", cards[0].getpixel((70, 45)))
print("size:", final.size, final.mode, "sha256:", hashlib.sha256(final.tobytes()).hexdigest())
