"""Inner, left and outer joins of customers, orders and payments."""
import pandas as pd

customers = pd.DataFrame(
    {"cust_id": [1, 2, 3, 4], "name": ["Acme", "Bolt", "Cora", "Dyne"], "country": ["DE", "FR", "DE", "IT"]}
)
orders = pd.DataFrame(
    {"order_id": [10, 11, 12, 13, 14], "cust_id": [1, 1, 3, 5, 2], "amount": [250.0, 80.5, 120.0, 60.0, 310.25]}
)
payments = pd.DataFrame({"order_id": [10, 12, 12, 15], "paid": [250.0, 50.0, 70.0, 99.0]})

inner = customers.merge(orders, on="cust_id", how="inner", validate="one_to_many")
print(inner.to_string(index=False))

outer = customers.merge(orders, on="cust_id", how="outer", indicator=True)
print(outer["_merge"].astype(str).value_counts().sort_index().to_dict())

paid = payments.groupby("order_id", as_index=False)["paid"].sum()
state = orders.merge(paid, on="order_id", how="left").fillna({"paid": 0.0})
state["open"] = state["amount"] - state["paid"]
print(state.to_string(index=False))

orphans = paid[~paid["order_id"].isin(orders["order_id"])]
print("payments without an order:", orphans["order_id"].tolist())

try:
    orders.merge(payments, on="order_id", validate="one_to_one")
except pd.errors.MergeError as exc:
    print("refused:", type(exc).__name__)
