"""Line plots on linear and logarithmic axes in one figure."""
import hashlib
import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

x = np.linspace(0.1, 10, 100)
fig, axes = plt.subplots(2, 2, figsize=(8, 6), sharex="col", layout="constrained")
axes[0, 0].plot(x, x**2, label="$x^2$")
axes[0, 0].plot(x, x**1.5, "--", label="$x^{1.5}$")
axes[0, 0].legend(loc="upper left")
axes[0, 0].set_title("linear")
axes[0, 1].semilogy(x, np.exp(x).round(6), color="tab:red")
axes[0, 1].set_title("semi-logarithmic")
axes[1, 0].plot(x, np.sin(x).round(6), "g-", x, np.cos(x).round(6), "k:")
axes[1, 0].fill_between(x, np.sin(x).round(6), 0, alpha=0.2)
axes[1, 0].axhline(0, lw=0.8)
axes[1, 1].loglog(x, 1 / x, marker=".", markevery=10)
axes[1, 1].grid(True, which="both", ls=":")
fig.suptitle("Growth on four kinds of axes")

buf = io.BytesIO()
fig.savefig(buf, format="png", dpi=100)
img = Image.open(buf).convert("RGBA")
print("axes:", len(fig.axes), "scales:", [ax.get_yscale() for ax in fig.axes])
print("pixels:", img.size)
print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())
