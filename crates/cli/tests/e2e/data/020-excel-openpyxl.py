"""A styled workbook with formulas, written and read back with openpyxl and pandas."""
import io
from datetime import date

import pandas as pd
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

rows = [
    (date(2024, 1, 5), "Paper", 12, 3.20),
    (date(2024, 1, 9), "Ink", 4, 18.75),
    (date(2024, 2, 2), "Stapler", 2, 7.40),
]
wb = Workbook()
ws = wb.active
ws.title = "Purchases"
ws.append(["Date", "Item", "Qty", "Price", "Total"])
for i, row in enumerate(rows, start=2):
    ws.append([*row, f"=C{i}*D{i}"])
ws.append([None, "Sum", None, None, f"=SUM(E2:E{len(rows) + 1})"])
for cell in ws[1]:
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="FFDDEEFF")
ws.column_dimensions[get_column_letter(2)].width = 18
ws.freeze_panes = "A2"
ws.merge_cells("A7:E7")
ws["A7"] = "Übersicht – geprüft"
wb.create_sheet("Notes")["B2"] = 42

buf = io.BytesIO()
wb.save(buf)
book = load_workbook(io.BytesIO(buf.getvalue()))
sheet = book["Purchases"]
print(book.sheetnames, sheet.dimensions, sheet.freeze_panes)
print([c.value for c in sheet["E"]][:5])
print(sheet["A1"].font.bold, sheet["A1"].fill.fgColor.rgb, sheet["A7"].value, [str(r) for r in sheet.merged_cells.ranges])
df = pd.read_excel(io.BytesIO(buf.getvalue()), sheet_name="Purchases", nrows=3, usecols="A:D")
print(df.assign(Date=df["Date"].dt.strftime("%d/%m/%Y"), Total=df["Qty"] * df["Price"]).to_string(index=False))
