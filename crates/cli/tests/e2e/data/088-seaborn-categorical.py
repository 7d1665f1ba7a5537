"""Seaborn bar, box, swarm-free strip and count plots of generated tips data."""
import hashlib
import io
import warnings

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from PIL import Image

warnings.simplefilter("ignore")
rng = np.random.default_rng(88)
n = 160
tips = pd.DataFrame({"day": rng.choice(["Thu", "Fri", "Sat", "Sun"], n), "meal": rng.choice(["lunch", "dinner"], n), "bill": rng.gamma(6, 3.5, n).round(2)})
tips["tip"] = (tips["bill"] * 0.12 + rng.normal(1, 0.4, n)).clip(lower=0).round(2)
order = ["Thu", "Fri", "Sat", "Sun"]

sns.set_theme(style="whitegrid", palette="deep")
fig, ax = plt.subplots(2, 2, figsize=(10, 8))
sns.barplot(data=tips, x="day", y="tip", hue="meal", order=order, hue_order=["lunch", "dinner"], errorbar="sd", ax=ax[0, 0])
sns.boxplot(data=tips, x="day", y="bill", order=order, width=0.5, ax=ax[0, 1])
sns.stripplot(data=tips, x="day", y="bill", order=order, color="0.3", size=3, jitter=False, ax=ax[0, 1])
sns.countplot(data=tips, y="day", hue="meal", order=order, hue_order=["lunch", "dinner"], ax=ax[1, 0])
sns.pointplot(data=tips, x="meal", y="tip", order=["lunch", "dinner"], estimator="median", errorbar=None, ax=ax[1, 1])
fig.tight_layout()

buf = io.BytesIO()
fig.savefig(buf, format="png", dpi=70)
img = Image.open(buf).convert("RGBA")
print(tips.pivot_table(index="day", columns="meal", values="tip", aggfunc=["mean", "count"]).reindex(order).round(3).to_string())
print("pixels:", img.size, "labels:", [t.get_text() for t in ax[0, 1].get_xticklabels()])
print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())
