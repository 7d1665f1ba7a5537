"""Horizontal bars with Chinese labels; the font family is set as many people do."""
import hashlib
import io
import warnings

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
from PIL import Image

plt.rcParams["font.sans-serif"] = ["Noto Sans CJK SC", "Noto Sans CJK JP", "SimHei", "DejaVu Sans"]
plt.rcParams["axes.unicode_minus"] = False

df = pd.DataFrame({"城市": ["北京", "上海", "广州", "深圳", "成都", "香港"], "增长率": [5.2, 5.0, -1.4, 6.0, 6.1, 3.2], "人口": [2185, 2487, 1883, 1779, 2140, 750]})
df = df.sort_values("增长率", ignore_index=True)
fig, ax = plt.subplots(1, 2, figsize=(10, 4))
colours = ["firebrick" if v < 0 else "seagreen" for v in df["增长率"]]
bars = ax[0].barh(df["城市"], df["增长率"], color=colours)
ax[0].bar_label(bars, fmt="%.1f%%")
ax[0].set_title("各城市经济增长率")
ax[0].set_xlabel("百分比")
df.plot.scatter(x="人口", y="增长率", s=80, ax=ax[1], title="人口与增长")
for _, row in df.iterrows():
    ax[1].text(row["人口"] + 20, row["增长率"], row["城市"])
ax[1].set_xlabel("人口（万）")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    buf = io.BytesIO()
    fig.savefig(buf, format="png", dpi=100)

img = Image.open(buf).convert("RGBA")
print(df.to_string(index=False))
print("标题:", ax[0].get_title(), "| 合计人口:", int(df["人口"].sum()))
print("pixels:", img.size)
print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())
