"""Annotated correlation heat map and an image plot of a matrix."""
import hashlib
import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image

rng = np.random.default_rng(81)
base = rng.normal(size=(200, 2))
df = pd.DataFrame({"temp": base[:, 0], "ice": base[:, 0] * 0.8 + rng.normal(0, 0.5, 200), "rain": -base[:, 0] * 0.4 + base[:, 1], "umbrella": base[:, 1] + rng.normal(0, 0.6, 200)})
corr = df.corr().round(3)
print(corr.to_string())

fig, (ax, bx) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
im = ax.imshow(corr, cmap="RdBu_r", vmin=-1, vmax=1)
ax.set_xticks(range(4), corr.columns, rotation=45, ha="right")
ax.set_yticks(range(4), corr.columns)
for i in range(4):
    for j in range(4):
        value = corr.iat[i, j]
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", color="white" if abs(value) > 0.6 else "black")
fig.colorbar(im, ax=ax)
week = np.add.outer(np.arange(7) % 5, np.minimum(np.arange(24), 23 - np.arange(24)))
mesh = bx.pcolormesh(np.arange(25), np.arange(8), week, cmap="magma", edgecolors="face")
bx.set_yticks(np.arange(7) + 0.5, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
fig.colorbar(mesh, ax=bx, orientation="horizontal")

buf = io.BytesIO()
fig.savefig(buf, format="png", dpi=80)
img = Image.open(buf).convert("RGBA")
print("pixels:", img.size)
print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())
