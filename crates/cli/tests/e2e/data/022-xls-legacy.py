"""Write the old BIFF2 .xls records of a lab instrument by hand; read them with xlrd and pandas."""
import io
import struct
from datetime import date

import pandas as pd
import xlrd


def record(code, payload):
    return struct.pack("<HH", code, len(payload)) + payload


def label(row, col, text):
    raw = text.encode("latin-1")
    return record(0x0004, struct.pack("<HH3sB", row, col, b"\0\0\0", len(raw)) + raw)


def number(row, col, value):
    return record(0x0003, struct.pack("<HH3sd", row, col, b"\0\0\0", value))


samples = [("S-01", date(2023, 11, 6), 7.12), ("S-02", date(2023, 11, 7), 6.98), ("S-03", date(2023, 11, 9), 7.31)]
body = [label(0, c, t) for c, t in enumerate(["sample", "date", "pH"])]
for r, (name, day, ph) in enumerate(samples, start=1):
    body += [label(r, 0, name), number(r, 1, (day - date(1899, 12, 30)).days), number(r, 2, ph)]
head = record(0x0009, struct.pack("<HH", 2, 0x0010)) + record(0x0042, struct.pack("<H", 1252))
xls = head + b"".join(body) + record(0x000A, b"")
print("bytes:", len(xls))

book = xlrd.open_workbook(file_contents=xls)
sheet = book.sheet_by_index(0)
print("sheets:", book.nsheets, "size:", sheet.nrows, "x", sheet.ncols)
for r in range(1, sheet.nrows):
    when = xlrd.xldate.xldate_as_datetime(sheet.cell_value(r, 1), book.datemode)
    print(sheet.cell_value(r, 0), when.date().isoformat(), sheet.cell_value(r, 2))

df = pd.read_excel(io.BytesIO(xls), engine="xlrd")
print("columns:", df.columns.tolist(), "mean pH:", round(float(df["pH"].mean()), 4))
