"""Fill gaps of sensor readings in several ways and compare them."""
import numpy as np
import pandas as pd

nan = np.nan
df = pd.DataFrame(
    {
        "room": ["a"] * 6 + ["b"] * 6,
        "minute": list(range(0, 60, 10)) * 2,
        "temp": [20.0, nan, 21.0, nan, nan, 22.5, 18.0, 18.4, nan, 19.2, nan, nan],
        "hum": [40, 41, nan, nan, 44, 45, nan, 50, 51, nan, 53, 54],
    }
)
print("missing:", df.isna().sum().to_dict(), "rows complete:", int(df.notna().all(axis=1).sum()))

g = df.groupby("room")["temp"]
df["ffill"] = g.ffill()
df["mean"] = df["temp"].fillna(g.transform("mean")).round(3)
df["linear"] = g.transform(lambda s: s.interpolate(limit_area="inside"))
df["limit1"] = g.ffill(limit=1)
print(df.drop(columns="hum").to_string(index=False))

dropped = df.dropna(subset=["temp", "hum"], how="any")
print("rows left after dropping:", len(dropped), "of", len(df))
print("thresh=2 of (temp, hum):", len(df[["temp", "hum"]].dropna(thresh=2)))
ints = df["hum"].astype("Int64")
print("nullable sum:", ints.sum(), "mean:", round(float(ints.mean()), 3), "first gaps:", ints.isna().to_numpy().nonzero()[0][:3].tolist())
gap = df["temp"].isna()
runs = gap.ne(gap.shift()).cumsum()[gap]
print("gap lengths:", runs.value_counts(sort=False).sort_index().tolist())
