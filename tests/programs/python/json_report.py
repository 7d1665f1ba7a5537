"""Reads orders as JSON, groups them, prints a report and JSON again."""
import json
from collections import defaultdict
from decimal import Decimal
from statistics import mean, median

ORDERS = """
[{"id": 17, "customer": "Zoë",  "items": [{"sku": "A1", "price": "19.99", "count": 3}, {"sku": "B7", "price": "0.35", "count": 40}]},
 {"id": 18, "customer": "Omar", "items": [{"sku": "C3", "price": "1250.00", "count": 1}]},
 {"id": 19, "customer": "Zoë",  "items": [{"sku": "B7", "price": "0.35", "count": 5}], "note": "gift \\u2014 wrap it"},
 {"id": 20, "customer": "李娜", "items": [{"sku": "A1", "price": "19.99", "count": 1}, {"sku": "C3", "price": "1250.00", "count": 2}]},
 {"id": 21, "customer": "Omar", "items": []}]
"""


def total(order) -> Decimal:
    return sum((item["price"] * item["count"] for item in order["items"]), Decimal("0.00"))


def decode(pairs):
    record = dict(pairs)
    if "price" in record:
        record["price"] = Decimal(record["price"])
    return record


orders = json.loads(ORDERS, object_pairs_hook=decode)
by_customer = defaultdict(list)
sold = defaultdict(int)
for order in orders:
    by_customer[order["customer"]].append(order)
    for item in order["items"]:
        sold[item["sku"]] += item["count"]

print(f"{'customer':<10}|{'orders':>7}|{'total':>10}")
print("-" * 29)
for customer, theirs in sorted(by_customer.items(), key=lambda pair: (-sum(map(total, pair[1])), pair[0])):
    print(f"{customer:<10}|{len(theirs):>7}|{sum(map(total, theirs)):>10}")
totals = [total(order) for order in orders]
print("mean", mean(totals), "median", median(totals))
print(json.dumps({"sold": dict(sorted(sold.items())), "notes": [o["note"] for o in orders if "note" in o]}, ensure_ascii=False))
print(json.dumps(orders[2], default=str, indent=2, sort_keys=True))
try:
    json.loads('{"a": [1, 2,, 3]}')
except json.JSONDecodeError as error:
    print(f"refused: {error.msg} at line {error.lineno} column {error.colno}")
