"""Share of department pay, rank within the department, and z-scores."""
import pandas as pd

staff = pd.DataFrame(
    {
        "name": ["Ana", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gita", "Hugo", "Ines"],
        "dept": ["IT", "IT", "HR", "Ops", "Ops", "IT", "HR", "Ops", "Ops"],
        "pay": [5200, 4700, 3900, 3100, 3350, 6100, 4150, 2950, 3600],
    }
)
g = staff.groupby("dept")["pay"]
staff["share"] = (staff["pay"] / g.transform("sum")).round(4)
staff["rank"] = g.rank(ascending=False).astype(int)
staff["z"] = ((staff["pay"] - g.transform("mean")) / g.transform("std")).round(3)
staff["cum"] = g.cumsum()
print(staff.sort_values(["dept", "rank"]).to_string(index=False))

top = staff[staff["rank"] == 1].set_index("dept")["name"]
print("top earners:", ", ".join(f"{d}={n}" for d, n in top.sort_index().items()))

big = staff.groupby("dept").filter(lambda part: part["pay"].sum() > 10_000)
print("departments over 10k:", sorted(big["dept"].unique()))
print("median gap to best:", (g.transform("max") - staff["pay"]).median())
