"""Write a Word report with headings, a table and a picture; read everything back."""
import io
from datetime import datetime

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Cm, Pt, RGBColor
from PIL import Image

doc = Document()
doc.core_properties.author = "Jana Nováková"
doc.core_properties.created = datetime(2024, 3, 1, 9, 30)
doc.add_heading("Water quality 2023", level=0)
p = doc.add_paragraph("The lake was ")
p.add_run("clean").bold = True
run = p.add_run(" in nine of twelve months (水质良好).")
run.font.size, run.font.color.rgb = Pt(12), RGBColor(0x00, 0x66, 0x33)
p.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
for text in ("three warnings", "no closure"):
    doc.add_paragraph(text, style="List Bullet")
table = doc.add_table(rows=0, cols=3, style="Light Grid Accent 1")
for row in [("Month", "pH", "State"), ("March", 7.4, "good"), ("July", 8.1, "warning"), ("October", 7.6, "good")]:
    for cell, value in zip(table.add_row().cells, row):
        cell.text = str(value)
png = io.BytesIO()
Image.linear_gradient("L").resize((300, 200)).save(png, "PNG")
doc.add_picture(png, width=Cm(8))
doc.sections[0].header.paragraphs[0].text = "Draft"
out = io.BytesIO()
doc.save(out)

back = Document(io.BytesIO(out.getvalue()))
print("author:", back.core_properties.author, "created:", back.core_properties.created.strftime("%Y-%m-%d %H:%M"))
for par in back.paragraphs:
    if par.text.strip():
        print(f"[{par.style.name}] {par.text}", [r.text for r in par.runs if r.bold])
print("table:", [[c.text for c in row.cells] for row in back.tables[0].rows], "colour:", back.paragraphs[1].runs[2].font.color.rgb)
shape = back.inline_shapes[0]
print("picture cm:", round(shape.width.cm, 2), round(shape.height.cm, 2), "header:", back.sections[0].header.paragraphs[0].text)
