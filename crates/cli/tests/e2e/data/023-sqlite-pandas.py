"""Load tables into SQLite, query with window functions, read back into pandas."""
import sqlite3

import numpy as np
import pandas as pd

rng = np.random.default_rng(23)
n = 600
trips = pd.DataFrame(
    {
        "driver": rng.choice(["Omar", "Pia", "Quin", "Rosa"], n),
        "day": pd.Series(pd.date_range("2024-04-01", periods=30)).dt.strftime("%Y-%m-%d").sample(n, replace=True, random_state=3).to_numpy(),
        "fare": rng.integers(400, 6000, n) / 100,
    }
)
con = sqlite3.connect(":memory:")
trips.to_sql("trips", con, index_label="trip_id")
con.execute("CREATE INDEX by_driver ON trips(driver, day)")

top = pd.read_sql_query(
    """SELECT driver, day, round(sum(fare), 2) AS total,
              rank() OVER (PARTITION BY driver ORDER BY sum(fare) DESC) AS place
       FROM trips GROUP BY driver, day ORDER BY driver, place""",
    con,
)
print(top[top["place"] <= 2].to_string(index=False))

running = pd.read_sql_query(
    """WITH daily AS (SELECT day, sum(fare) AS total FROM trips WHERE driver = ? GROUP BY day)
       SELECT day, round(sum(total) OVER (ORDER BY day), 2) AS so_far FROM daily""",
    con,
    params=("Pia",),
    parse_dates=["day"],
)
print(len(running), running["day"].iloc[-1].date(), running["so_far"].iloc[-1])
check = trips.loc[trips["driver"] == "Pia", "fare"].sum()
print("agrees with pandas:", abs(check - running["so_far"].iloc[-1]) < 0.01)
print("plan uses index:", "by_driver" in str(con.execute("EXPLAIN QUERY PLAN SELECT * FROM trips WHERE driver='Pia'").fetchall()))
