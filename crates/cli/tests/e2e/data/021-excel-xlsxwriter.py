"""An Excel report with a chart and formats by xlsxwriter, checked by other readers."""
import io
import zipfile

import pandas as pd
from openpyxl import load_workbook

sales = pd.DataFrame(
    {
        "month": pd.date_range("2024-01-01", periods=6, freq="MS"),
        "bikes": [120, 135, 160, 210, 250, 240],
        "parts": [1040.5, 990.25, 1200.0, 1310.75, 1500.0, 1620.5],
    }
)
buf = io.BytesIO()
with pd.ExcelWriter(buf, engine="xlsxwriter", datetime_format="mmm yyyy") as writer:
    sales.to_excel(writer, sheet_name="Sales", index=False, startrow=1)
    book, sheet = writer.book, writer.sheets["Sales"]
    sheet.write(0, 0, "Half-year report", book.add_format({"bold": True, "font_size": 14}))
    sheet.set_column("A:C", 14, book.add_format({"num_format": "#,##0.00"}))
    sheet.conditional_format("B3:B8", {"type": "3_color_scale"})
    chart = book.add_chart({"type": "column"})
    chart.add_series({"name": "=Sales!$B$2", "categories": "=Sales!$A$3:$A$8", "values": "=Sales!$B$3:$B$8"})
    chart.set_title({"name": "Bikes sold"})
    sheet.insert_chart("E2", chart)
    sales.describe().drop(columns="month").round(3).to_excel(writer, sheet_name="Stats")

names = sorted(zipfile.ZipFile(io.BytesIO(buf.getvalue())).namelist())
print([n for n in names if "chart" in n or "sheet" in n])
sheets = pd.read_excel(io.BytesIO(buf.getvalue()), sheet_name=None, header=None)
print({k: v.shape for k, v in sheets.items()})
stats = pd.read_excel(io.BytesIO(buf.getvalue()), sheet_name="Stats", index_col=0)
print(stats.loc[["count", "mean", "max"]].to_string())
ws = load_workbook(io.BytesIO(buf.getvalue()))["Sales"]
print(ws["A1"].value, "|", ws["A3"].value.date(), "|", ws["A3"].number_format, "| charts:", len(ws._charts))
