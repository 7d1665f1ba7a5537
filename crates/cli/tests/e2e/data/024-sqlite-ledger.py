"""A double-entry ledger with constraints, transactions and a user function."""
import sqlite3
from decimal import Decimal

con = sqlite3.connect(":memory:")
con.row_factory = sqlite3.Row
con.execute("PRAGMA foreign_keys = ON")
con.executescript(
    """
    CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
    CREATE TABLE entry(
        tx INTEGER NOT NULL, account INTEGER NOT NULL REFERENCES account(id),
        cents INTEGER NOT NULL CHECK (cents <> 0));
    """
)
con.executemany("INSERT INTO account(name) VALUES (?)", [("cash",), ("rent",), ("sales",), ("bank",)])
con.create_function("money", 1, lambda cents: f"{Decimal(cents) / 100:,.2f}", deterministic=True)


def post(tx, *lines):
    with con:
        con.executemany("INSERT INTO entry VALUES (?, (SELECT id FROM account WHERE name = ?), ?)", [(tx, *l) for l in lines])
        (total,) = con.execute("SELECT sum(cents) FROM entry WHERE tx = ?", (tx,)).fetchone()
        if total != 0:
            raise ValueError(f"transaction {tx} is off by {total} cents")


post(1, ("cash", 125_000), ("sales", -125_000))
post(2, ("rent", 80_000), ("cash", -80_000))
post(3, ("bank", 30_050), ("cash", -30_050))
for bad in [(4, ("cash", 100), ("sales", -99)), (5, ("petrol", 10), ("cash", -10)), (6, ("cash", 0), ("bank", 0))]:
    try:
        post(*bad)
    except (ValueError, sqlite3.IntegrityError) as exc:
        print("rejected:", exc)

query = "SELECT name, money(total(cents)) AS balance, count(*) AS n FROM entry JOIN account ON id = account GROUP BY id"
for row in con.execute(query):
    print(f"{row['name']:<6}{row['balance']:>12}{row['n']:>4}")
print("sum:", con.execute("SELECT sum(cents) FROM entry").fetchone()[0], "changes:", con.total_changes > 0)
