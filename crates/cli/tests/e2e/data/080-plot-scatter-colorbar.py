"""Scatter plot with colours, sizes, a colour bar, a fitted line and an inset."""
import hashlib
import io

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

rng = np.random.default_rng(80)
x = rng.uniform(0, 10, 120).round(2)
y = (1.5 * x + rng.normal(0, 2, 120)).round(2)
weight = rng.integers(10, 120, 120)

fig, ax = plt.subplots(figsize=(6.4, 4.8), dpi=100)
points = ax.scatter(x, y, c=y - 1.5 * x, s=weight, cmap="coolwarm", vmin=-5, vmax=5, alpha=0.8, edgecolors="k", linewidths=0.4)
bar = fig.colorbar(points, ax=ax, shrink=0.9)
bar.set_label("residual")
slope, intercept = np.polyfit(x, y, 1)
ends = np.array([0, 10])
ax.plot(ends, (intercept + slope * ends).round(4), "k--", lw=1, label=f"y = {slope:.2f} x {intercept:+.2f}")
ax.legend(loc="lower right")
ax.set(xlabel="dose", ylabel="response", xlim=(0, 10), title="Dose and response")
inset = ax.inset_axes([0.08, 0.7, 0.3, 0.25])
inset.scatter(x[:20], y[:20], marker="x", s=12, color="tab:green")
inset.tick_params(labelsize=6)

buf = io.BytesIO()
fig.savefig(buf, format="png")
img = Image.open(buf).convert("RGBA")
print(f"fit: {slope:.4f} x + {intercept:.4f}, r = {np.corrcoef(x, y)[0, 1]:.4f}")
print("pixels:", img.size, "offsets:", points.get_offsets().shape)
print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())
