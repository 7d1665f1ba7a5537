"""A pandas pipeline over 200,000 order lines: clean, enrich, aggregate, rank."""
import numpy as np
import pandas as pd

pd.set_option("display.width", 160, "display.max_columns", 20)
rng = np.random.default_rng(25)
n = 200_000
raw = pd.DataFrame(
    {
        "order": rng.integers(1, 60_000, n),
        "sku": rng.integers(0, 500, n),
        "qty": rng.integers(-1, 9, n),
        "cents": rng.integers(50, 20_000, n),
        "minute": rng.integers(0, 90 * 1440, n),
        "channel": rng.choice(np.array(["web", "app", "shop", " WEB "]), n, p=[0.4, 0.3, 0.25, 0.05]),
    }
)
products = pd.DataFrame({"sku": range(480), "group": [f"G{i % 12:02d}" for i in range(480)]})

clean = (
    raw.query("qty > 0")
    .assign(
        channel=lambda d: d["channel"].str.strip().str.lower(),
        day=lambda d: pd.Timestamp("2024-01-01") + pd.to_timedelta(d["minute"] // 1440, unit="D"),
        total=lambda d: d["qty"] * d["cents"],
    )
    .merge(products, on="sku", how="left")
    .fillna({"group": "unknown"})
)
print("kept:", len(clean), "unknown:", int((clean["group"] == "unknown").sum()))
print(clean.groupby("channel")["total"].agg(["count", "sum", "median"]).to_string())

best = clean.groupby("group")["total"].sum().nlargest(3)
print("best groups:", {k: int(v) for k, v in best.items()})
week = clean.set_index("day").groupby("channel")["total"].resample("W").sum().unstack("channel")
print(week.iloc[[0, 6, -1]].to_string())
basket = clean.groupby("order")["total"].sum()
print("basket quantiles:", basket.quantile([0.1, 0.5, 0.9]).round(1).tolist())
rolling = clean.groupby("day")["total"].sum().rolling(7).mean()
print("busiest 7 days end on", rolling.idxmax().date(), "with", int(rolling.max()))
