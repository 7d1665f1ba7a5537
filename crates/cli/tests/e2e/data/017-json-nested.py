"""Flatten nested JSON orders, and write them back in two orientations."""
import io
import json

import pandas as pd

orders = json.loads(
    """[
 {"id": 1, "customer": {"name": "Lin", "address": {"city": "Oslo", "zip": "0150"}},
  "items": [{"sku": "A1", "qty": 2, "price": 9.5}, {"sku": "B7", "qty": 1, "price": 24.0}]},
 {"id": 2, "customer": {"name": "Mia", "address": {"city": "Bergen"}},
  "items": [{"sku": "A1", "qty": 5, "price": 9.0}], "coupon": "SPRING"},
 {"id": 3, "customer": {"name": "Noé", "address": {"city": "Oslo", "zip": "0181"}}, "items": []}
]"""
)
flat = pd.json_normalize(orders, sep=".").drop(columns="items")
print(flat.fillna("-").to_string(index=False))

items = pd.json_normalize(orders, record_path="items", meta=["id", ["customer", "name"]])
items["total"] = items["qty"] * items["price"]
print(items.to_string(index=False))
totals = items.groupby("customer.name")["total"].sum()
print("totals:", totals.to_dict())

text = items.to_json(orient="records", force_ascii=False)
again = pd.read_json(io.StringIO(text), orient="records")
print("same total:", float(again["total"].sum()) == float(items["total"].sum()), "chars:", len(text))
split = json.loads(items[["sku", "qty"]].to_json(orient="split"))
print(json.dumps(split, sort_keys=True))
print(json.dumps({"name": "Noé", "tags": ("x", 1, None, True)}, ensure_ascii=True, indent=1))
