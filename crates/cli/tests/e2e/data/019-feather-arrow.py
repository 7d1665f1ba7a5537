"""Arrow tables: compute functions, group-by, joins and a Feather file."""
import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.feather as feather

CSV = b"""plate,model,km,year
AB-1,Micro,12000,2021
AB-2,Estate,88000,2018
AC-7,Micro,43000,2019
AD-3,Van,150500,2015
AD-9,Van,,2020
"""
cars = pacsv.read_csv(io.BytesIO(CSV))
print(cars.schema.names, [str(t) for t in cars.schema.types])

old = cars.filter(pc.less(cars["year"], 2020))
print("before 2020:", old["plate"].to_pylist())
per_model = cars.group_by("model").aggregate([("km", "mean"), ("plate", "count")]).sort_by("model")
print(per_model.to_pylist())

rates = pa.table({"model": ["Micro", "Estate", "Van"], "rate": [0.11, 0.18, 0.26]})
cost = cars.join(rates, keys="model").sort_by("plate")
cost = cost.append_column("cost", pc.round(pc.multiply(cost["km"], cost["rate"]), 2))
print(cost.select(["plate", "cost"]).to_pydict())

sink = io.BytesIO()
feather.write_feather(cars, sink, compression="lz4")
sink.seek(0)
back = feather.read_table(sink)
print("feather equal:", back.equals(cars), "nulls:", back["km"].null_count)
df = back.to_pandas()
print("pandas mean km:", round(float(df["km"].mean()), 2), "rows:", len(df))
words = pa.array(["red", "blue", "red", None, "green"]).dictionary_encode()
print(words.dictionary.to_pylist(), words.indices.to_pylist())
