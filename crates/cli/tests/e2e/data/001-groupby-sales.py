"""Sales summary per region and product with named aggregations."""
import io

import pandas as pd

CSV = """date,region,product,units,price
2024-01-03,North,Tea,12,4.50
2024-01-09,South,Tea,7,4.40
2024-01-15,North,Coffee,20,8.25
2024-02-02,East,Coffee,15,8.10
2024-02-11,South,Cocoa,9,6.00
2024-02-20,North,Tea,18,4.55
2024-03-05,East,Tea,11,4.45
2024-03-12,South,Coffee,25,8.30
2024-03-28,North,Cocoa,6,6.15
2024-03-30,East,Cocoa,14,5.95
"""

df = pd.read_csv(io.StringIO(CSV), parse_dates=["date"])
df["revenue"] = df["units"] * df["price"]

summary = df.groupby("region").agg(
    orders=("units", "size"),
    units=("units", "sum"),
    revenue=("revenue", "sum"),
    mean_price=("price", "mean"),
    last_sale=("date", "max"),
)
summary["last_sale"] = summary["last_sale"].dt.strftime("%d %b %Y")
print(summary.round(2).to_string())

by_product = df.groupby("product")["revenue"].sum().sort_values(ascending=False)
for name, value in by_product.items():
    print(f"{name:<8}{value:>10.2f}{value / by_product.sum():>8.1%}")

best = df.loc[df.groupby("region")["revenue"].idxmax(), ["region", "product", "revenue"]]
print(best.to_string(index=False))
