"""Weather statistics in a MultiIndex: slices, cross sections and level sums."""
import pandas as pd

index = pd.MultiIndex.from_product([["Oslo", "Rome"], [2022, 2023], ["winter", "summer"]], names=["city", "year", "season"])
data = pd.DataFrame(
    {"rain": [180, 240, 210, 255, 230, 40, 250, 25], "sun": [110, 640, 95, 700, 380, 980, 400, 1020]}, index=index
)
print(data.to_string())
print("Rome 2023:", data.loc[("Rome", 2023), "rain"].to_dict())

idx = pd.IndexSlice
data = data.sort_index()
print(data.loc[idx[:, 2022, "summer"], "sun"].to_string())
print(data.xs("winter", level="season").groupby(level="city").sum().to_string())

ratio = data["sun"].unstack("season")
ratio["ratio"] = (ratio["summer"] / ratio["winter"]).round(2)
print(ratio.to_string())
swapped = data.swaplevel("city", "year").sort_index(level=0)
print("first key after swap:", "/".join(map(str, swapped.index[0])))
diff = data["rain"].groupby(level=["city", "season"]).diff().dropna().astype(int)
print("year on year:", {"/".join(map(str, k)): v for k, v in diff.items()})
