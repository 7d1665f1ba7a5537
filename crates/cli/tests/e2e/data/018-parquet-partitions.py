"""Parquet round trip with typed columns, column pruning and a partitioned folder."""
import os
import tempfile

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq

rng = np.random.default_rng(18)
n = 5_000
df = pd.DataFrame(
    {
        "day": pd.to_datetime("2024-05-01") + pd.to_timedelta(rng.integers(0, 30, n), unit="D"),
        "site": pd.Categorical(rng.choice(["east", "north", "west"], n)),
        "count": pd.array(rng.integers(0, 50, n), dtype="Int32"),
        "level": rng.normal(5, 1, n).round(3),
    }
)
df.loc[::97, "count"] = pd.NA
folder = tempfile.mkdtemp()
path = os.path.join(folder, "all.parquet")
df.to_parquet(path, engine="pyarrow", compression="zstd", index=False, row_group_size=2_000)

meta = pq.read_metadata(path)
print("rows:", meta.num_rows, "row groups:", meta.num_row_groups, "columns:", meta.num_columns)
back = pd.read_parquet(path)
print("count dtype kept:", str(back["count"].dtype), "missing:", int(back["count"].isna().sum()))
print("site kind:", back["site"].dtype.name, "levels equal:", bool((back["level"] == df["level"]).all()))
part = pd.read_parquet(path, columns=["site", "level"], filters=[("level", ">", 7.0)])
print("pruned:", part.shape, f"min {part['level'].min():.3f}")

root = os.path.join(folder, "by_site")
df.assign(site=df["site"].astype(str)).to_parquet(root, partition_cols=["site"], index=False)
print("folders:", sorted(os.listdir(root)))
north = ds.dataset(root, partitioning="hive").to_table(filter=ds.field("site") == "north")
print("north rows:", north.num_rows, "expected:", int((df["site"] == "north").sum()))
