"""Pivot table of a shop's takings with margins and month-on-month change."""
import numpy as np
import pandas as pd

rng = np.random.default_rng(5)
n = 240
df = pd.DataFrame(
    {
        "month": rng.choice(["2024-01", "2024-02", "2024-03", "2024-04"], n),
        "shop": rng.choice(["Harbour", "Market", "Station"], n, p=[0.5, 0.3, 0.2]),
        "method": rng.choice(["card", "cash"], n),
        "cents": rng.integers(150, 9000, n),
    }
)
table = df.pivot_table(index="month", columns="shop", values="cents", aggfunc="sum", margins=True, margins_name="Total")
print((table / 100).round(2).to_string())

counts = df.pivot_table(index="shop", columns="method", values="cents", aggfunc=["count", "max"])
counts.columns = ["_".join(c) for c in counts.columns]
print(counts.to_string())

change = table.drop(index="Total").pct_change().dropna().round(3)
print(change.to_string())
print("best cell:", table.drop(index="Total", columns="Total").stack().idxmax())
