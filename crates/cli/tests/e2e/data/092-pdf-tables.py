"""A report with a flowing layout and tables by reportlab, tables taken out again with pdfplumber."""
import io

import pandas as pd
import pdfplumber
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

stock = pd.DataFrame({"Part": ["bolt M6", "nut M6", "washer", "hinge"], "Shelf": ["A1", "A2", "A2", "C7"], "Count": [1200, 950, 4000, 36], "Price": [0.12, 0.08, 0.03, 4.5]})
styles = getSampleStyleSheet()
grid = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("BACKGROUND", (0, 0), (-1, 0), colors.lightgrey), ("ALIGN", (2, 1), (-1, -1), "RIGHT")])
story = [Paragraph("Stock report", styles["Title"]), Paragraph("All counts were made by <b>hand</b> on the second floor. " * 6, styles["BodyText"]), Spacer(1, 12)]
story.append(Table([stock.columns.tolist()] + stock.astype(str).to_numpy().tolist(), style=grid, colWidths=[110, 60, 60, 60]))
story += [PageBreak(), Paragraph("Values", styles["Heading2"])]
value = stock.assign(Value=(stock["Count"] * stock["Price"]).round(2))[["Part", "Value"]]
story.append(Table([value.columns.tolist()] + [[p, f"{v:.2f}"] for p, v in value.to_numpy().tolist()], style=grid))
buf = io.BytesIO()
SimpleDocTemplate(buf, pagesize=A4, title="Stock", invariant=1).build(story)

with pdfplumber.open(io.BytesIO(buf.getvalue())) as pdf:
    print("pages:", len(pdf.pages), "size:", (round(pdf.pages[0].width), round(pdf.pages[0].height)))
    page = pdf.pages[0]
    table = page.extract_table()
    words = page.extract_words()
    print("words:", len(words), "first:", words[0]["text"], words[1]["text"], "fonts:", sorted({c["fontname"] for c in page.chars}))
    back = pd.DataFrame(table[1:], columns=table[0])
    print(back.to_string(index=False))
    print("counts equal:", back["Count"].astype(int).tolist() == stock["Count"].tolist(), "rects:", len(page.rects) > 0)
    print(pdf.pages[1].extract_text())
    print("total:", round(sum(float(r[1]) for r in pdf.pages[1].extract_tables()[0][1:]), 2))
