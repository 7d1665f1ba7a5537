"""Write a CSV with quoted text, read it in chunks with fixed types, aggregate."""
import csv
import os
import tempfile

import numpy as np
import pandas as pd

rng = np.random.default_rng(16)
n = 20_000
table = pd.DataFrame(
    {
        "id": np.arange(1, n + 1),
        "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 86_400 * 60, n), unit="s"),
        "note": rng.choice(["ok", 'said "no"', "late, again", "two\nlines", ""], n),
        "value": rng.integers(0, 100_000, n) / 100,
    }
)
path = os.path.join(tempfile.mkdtemp(), "log.csv")
table.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL, date_format="%Y-%m-%d %H:%M:%S")
print("bytes:", os.path.getsize(path))

total, rows, notes = 0.0, 0, {}
dtypes = {"id": "int32", "note": "string", "value": "float64"}
for chunk in pd.read_csv(path, chunksize=6_000, dtype=dtypes, parse_dates=["when"], keep_default_na=False):
    rows += len(chunk)
    total += chunk["value"].sum()
    for key, count in chunk["note"].value_counts().items():
        notes[key] = notes.get(key, 0) + int(count)
print("rows:", rows, "total:", f"{total:.2f}")
print({repr(k): notes[k] for k in sorted(notes)})

back = pd.read_csv(path, keep_default_na=False, parse_dates=["when"])
print("equal values:", bool((back["note"] == table["note"]).all() and (back["value"] == table["value"]).all()))
print("first day:", int((back["when"] < "2024-01-02").sum()), "latest:", back["when"].max())
with open(path, newline="") as f:
    print("csv module rows:", sum(1 for _ in csv.reader(f)) - 1)
