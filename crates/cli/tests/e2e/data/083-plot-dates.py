"""Time series plots with dates on the axis, by matplotlib and by pandas."""
import hashlib
import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image

rng = np.random.default_rng(83)
days = pd.date_range("2023-11-01", "2024-03-31", freq="D")
temp = pd.Series(np.round(8 - 9 * np.sin(np.pi * np.arange(len(days)) / 150) + rng.normal(0, 2, len(days)), 1), index=days)
mean = temp.rolling(14, center=True).mean().round(3)

fig, (top, low) = plt.subplots(2, 1, figsize=(9, 6), layout="constrained")
top.plot(days, temp, color="0.6", lw=0.8)
top.plot(days, mean, color="tab:blue", lw=2)
top.xaxis.set_major_locator(mdates.MonthLocator())
top.xaxis.set_minor_locator(mdates.WeekdayLocator(mdates.MO))
top.xaxis.set_major_formatter(mdates.DateFormatter("%d %b\n%Y"))
top.axvspan(pd.Timestamp("2023-12-23"), pd.Timestamp("2024-01-07"), color="gold", alpha=0.3)
coldest = temp.idxmin()
top.annotate(f"{coldest:%d %b}: {temp.min()} °C", (coldest, temp.min()), xytext=(40, 10), textcoords="offset points", arrowprops={"arrowstyle": "-"})
monthly = temp.resample("MS").agg(["min", "mean", "max"])
monthly.index = monthly.index.strftime("%b %y")
monthly.plot.bar(ax=low, rot=0, title="by month")

buf = io.BytesIO()
fig.savefig(buf, format="png", dpi=100)
img = Image.open(buf).convert("RGBA")
print(monthly.round(2).to_string())
print("ticks:", [mdates.num2date(t).strftime("%m-%d") for t in top.get_xticks()])
print("pixels:", img.size)
print("sha256:", hashlib.sha256(img.tobytes()).hexdigest())
