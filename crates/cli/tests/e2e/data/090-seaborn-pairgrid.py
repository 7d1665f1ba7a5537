"""Seaborn figure-level plots: pair plot of iris and a faceted relational plot."""
import hashlib
import io
import warnings

import matplotlib

matplotlib.use("Agg")
import numpy as np
import pandas as pd
import seaborn as sns
from PIL import Image
from sklearn.datasets import load_iris

warnings.simplefilter("ignore")
raw = load_iris()
iris = pd.DataFrame(raw.data, columns=["sl", "sw", "pl", "pw"])
iris["species"] = [str(raw.target_names[k]) for k in raw.target]


def report(name, grid):
    buf = io.BytesIO()
    grid.savefig(buf, format="png", dpi=60)
    img = Image.open(buf).convert("RGBA")
    print(name, "axes:", grid.axes.size, "pixels:", img.size)
    print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())


pair = sns.pairplot(iris, vars=["sl", "pl"], hue="species", diag_kind="hist", height=1.8, plot_kws={"s": 12})
report("pair plot", pair)

t = np.arange(0, 48)
waves = pd.concat([pd.DataFrame({"hour": t, "load": np.round(a * np.sin(t / p) + a, 4), "site": s, "kind": k}) for s, a, p in (("A", 2, 4), ("B", 3, 6)) for k, a in (("raw", a), ("half", a / 2))])
facets = sns.relplot(data=waves, x="hour", y="load", col="site", hue="kind", style="kind", kind="line", height=2.5, errorbar=None)
facets.set_axis_labels("hour", "load (kW)")
report("facets", facets)
print(iris.groupby("species")[["sl", "pl"]].agg(["mean", "std"]).round(3).to_string())
