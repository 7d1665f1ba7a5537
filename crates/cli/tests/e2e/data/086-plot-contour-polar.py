"""Contour, vector field, polar and 3-D surface plots."""
import hashlib
import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

g = np.linspace(-2, 2, 41)
X, Y = np.meshgrid(g, g)
Z = np.round(X * np.exp(-(X**2) - Y**2), 8)
fig = plt.figure(figsize=(9, 8))

ax = fig.add_subplot(2, 2, 1)
filled = ax.contourf(X, Y, Z, levels=np.linspace(-0.45, 0.45, 10), cmap="PuOr")
lines = ax.contour(X, Y, Z, levels=[-0.3, -0.1, 0.1, 0.3], colors="k", linewidths=0.6)
ax.clabel(lines, fontsize=7)
fig.colorbar(filled)

ax = fig.add_subplot(2, 2, 2, aspect="equal")
ax.quiver(X[::4, ::4], Y[::4, ::4], -Y[::4, ::4], X[::4, ::4], angles="xy")

ax = fig.add_subplot(2, 2, 3, projection="polar", theta_direction=-1)
theta = np.linspace(0, 2 * np.pi, 181)
ax.plot(theta, np.abs(np.cos(2 * theta)).round(6))
ax.set_theta_zero_location("N")

ax = fig.add_subplot(2, 2, 4, projection="3d", elev=30, azim=-60)
ax.plot_surface(X[::2, ::2], Y[::2, ::2], Z[::2, ::2], cmap="viridis", linewidth=0)

buf = io.BytesIO()
fig.savefig(buf, format="png", dpi=80)
img = Image.open(buf).convert("RGBA")
print(f"extremes {Z.min():.4f} {Z.max():.4f}, contour levels {len(lines.levels)}")
print("kinds:", [a.name for a in fig.axes])
print("pixels:", img.size)
print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())
