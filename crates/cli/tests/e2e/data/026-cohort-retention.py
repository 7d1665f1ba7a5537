"""Customer cohorts by first purchase month and their retention."""
import numpy as np
import pandas as pd

rng = np.random.default_rng(26)
people = 300
first = rng.integers(0, 5, people)
rows = []
for person, start in enumerate(first):
    rows.append((person, start))
    for month in range(start + 1, 7):
        if rng.random() < 0.65 * 0.85 ** (month - start):
            rows.append((person, month))
buys = pd.DataFrame(rows, columns=["person", "offset"])
buys["month"] = pd.PeriodIndex(pd.Period("2024-01", "M") + buys["offset"].to_numpy())

buys["cohort"] = buys.groupby("person")["offset"].transform("min")
buys["age"] = buys["offset"] - buys["cohort"]
table = buys.pivot_table(index="cohort", columns="age", values="person", aggfunc="nunique")
table.index = [str(pd.Period("2024-01", "M") + int(i)) for i in table.index]
print(table.fillna(0).astype(int).to_string())

retention = table.div(table[0], axis=0)
print(retention.mul(100).round(1).to_string(na_rep=""))
weights = table[0]
for age in (1, 2, 3):
    ok = retention[age].notna()
    print(f"month {age}: weighted retention {np.average(retention.loc[ok, age], weights=weights[ok]):.3f}")
print("active per month:", buys.groupby(buys["month"].astype(str))["person"].nunique().to_dict())
