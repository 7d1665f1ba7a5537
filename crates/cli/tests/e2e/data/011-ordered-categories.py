"""Ordered categoricals: sorting, comparing, recoding and counting."""
import pandas as pd

sizes = pd.CategoricalDtype(["XS", "S", "M", "L", "XL"], ordered=True)
stock = pd.DataFrame(
    {
        "item": ["shirt", "shirt", "coat", "coat", "hat", "sock", "sock", "shirt"],
        "size": ["M", "XL", "S", "L", "M", "XS", "M", "S"],
        "qty": [14, 3, 6, 2, 9, 30, 22, 11],
    }
)
stock["size"] = stock["size"].astype(sizes)
print(stock.sort_values(["size", "item"]).to_string(index=False))
print("at least M:", int(stock.loc[stock["size"] >= "M", "qty"].sum()))
print("smallest and largest:", stock["size"].min(), stock["size"].max())
print("codes:", stock["size"].cat.codes.tolist())

per_size = stock.groupby("size", observed=False)["qty"].sum()
print("with empty sizes:", per_size.to_dict())

only_shirts = stock[stock["item"] == "shirt"].copy()
only_shirts["size"] = only_shirts["size"].cat.remove_unused_categories()
print("used by shirts:", list(only_shirts["size"].cat.categories))

coarse = stock["size"].astype(str).map({"XS": "small", "S": "small", "M": "medium", "L": "large", "XL": "large"})
coarse = coarse.astype(pd.CategoricalDtype(["small", "medium", "large"], ordered=True))
print(stock.groupby(coarse, observed=True)["qty"].agg(["count", "sum"]).to_string())
typed = pd.Series(["M", "XXL", "S"])
bad = typed.where(typed.isin(sizes.categories)).astype(sizes)
print("unknown sizes:", int(bad.isna().sum()))
