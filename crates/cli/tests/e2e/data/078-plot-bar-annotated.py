"""Grouped and stacked bars with value labels and an annotation arrow."""
import hashlib
import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

quarters = ["Q1", "Q2", "Q3", "Q4"]
online, shop = np.array([42, 55, 61, 80]), np.array([70, 66, 58, 63])
pos = np.arange(4)

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
a = left.bar(pos - 0.2, online, 0.4, label="online")
b = left.bar(pos + 0.2, shop, 0.4, label="shop", hatch="//")
left.bar_label(a, padding=2)
left.bar_label(b, padding=2, fmt="%d k")
left.set_xticks(pos, quarters)
left.set_ylim(0, 100)
left.legend()
left.annotate("record", xy=(2.8, 80), xytext=(1.2, 92), arrowprops={"arrowstyle": "->", "color": "red"}, color="red")
right.barh(quarters, online, color="#4477aa")
right.barh(quarters, shop, left=online, color="#ee6677")
right.invert_yaxis()
right.set_xlabel("thousand euros")
for y, total in enumerate(online + shop):
    right.text(total + 1, y, f"{total}", va="center")
fig.tight_layout()

buf = io.BytesIO()
fig.savefig(buf, format="png")
img = Image.open(buf).convert("RGBA")
print("totals:", (online + shop).tolist(), "bars:", len(left.patches), len(right.patches))
print("pixels:", img.size)
print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())
