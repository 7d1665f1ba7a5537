"""Create an invoice PDF with reportlab (Latin and Chinese text) and read the text again with pypdf."""
import io

from pypdf import PdfReader
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

items = [("Notebook A5", 12, 3.20), ("Fountain pen", 2, 24.90), ("Ink, royal blue", 5, 6.75)]
pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
buf = io.BytesIO()
pdf = canvas.Canvas(buf, pagesize=A4, invariant=1)
pdf.setTitle("Invoice 2024-017")
pdf.setAuthor("Papier & Co")
pdf.setFont("Helvetica-Bold", 18)
pdf.drawString(20 * mm, 270 * mm, "Invoice 2024-017")
pdf.setFont("STSong-Light", 14)
pdf.drawString(20 * mm, 260 * mm, "发票 北京文具店")
pdf.setFont("Helvetica", 11)
for row, (name, qty, price) in enumerate(items):
    y = (240 - 8 * row) * mm
    pdf.drawString(20 * mm, y, name)
    pdf.drawRightString(120 * mm, y, str(qty))
    pdf.drawRightString(150 * mm, y, f"{qty * price:.2f}")
pdf.line(20 * mm, 218 * mm, 150 * mm, 218 * mm)
pdf.drawRightString(150 * mm, 208 * mm, f"Total EUR {sum(q * p for _, q, p in items):.2f}")
pdf.linkURL("https://example.org/pay", (20 * mm, 20 * mm, 60 * mm, 30 * mm))
pdf.showPage()
pdf.drawString(20 * mm, 270 * mm, "Terms: payable within 30 days")
pdf.save()

reader = PdfReader(io.BytesIO(buf.getvalue()))
print("pages:", len(reader.pages), "title:", reader.metadata.title, "author:", reader.metadata.author)
first = reader.pages[0]
print("size in points:", [round(float(v)) for v in first.mediabox[2:]], "links:", len(first.get("/Annots", [])))
print("\n".join("| " + line.strip() for line in first.extract_text().splitlines() if line.strip()))
print("second:", reader.pages[1].extract_text().strip())
