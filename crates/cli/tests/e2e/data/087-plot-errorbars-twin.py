"""Error bars, a step plot, a stack plot and a table under a style context; PNG and SVG output."""
import hashlib
import io
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

dose = np.array([0, 5, 10, 20, 40])
mean = np.array([1.2, 2.6, 3.9, 5.1, 5.6])
err = np.array([0.2, 0.3, 0.25, 0.4, 0.6])
with plt.style.context("ggplot"):
    fig, ax = plt.subplots(2, 2, figsize=(9, 7))
    ax[0, 0].errorbar(dose, mean, yerr=err, fmt="o-", capsize=4, label="mean ± sd")
    ax[0, 0].legend()
    ax[0, 1].step([0, 1, 3, 4, 7], [10, 8, 8, 5, 2], where="post")
    ax[0, 1].set_title("survivors")
    year = np.arange(2015, 2025)
    ax[1, 0].stackplot(year, [np.arange(10) + 3, 12 - np.arange(10), np.full(10, 4)], labels=["solar", "coal", "hydro"])
    ax[1, 0].legend(loc="lower left")
    ax[1, 1].axis("off")
    table = ax[1, 1].table(cellText=[[str(d), f"{m:.1f} ± {e:.2f}"] for d, m, e in zip(dose, mean, err)], colLabels=["dose", "response"], loc="center")
    table.scale(1, 1.5)
    png, svg = io.BytesIO(), io.BytesIO()
    fig.savefig(png, format="png", dpi=75)
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "x"}):
        fig.savefig(svg, format="svg", metadata={"Date": None})

img = Image.open(png).convert("RGBA")
text = svg.getvalue().decode()
print("pixels:", img.size, "background:", img.getpixel((200, 100))[:3])
print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())
print("svg words:", [w for w in ("survivors", "solar", "response", "absent") if re.search(rf">{w}<", text)])
