"""A page made by reportlab, drawn by pdf2image."""
from pdf2image import convert_from_bytes, pdfinfo_from_bytes
from reportlab.lib.pagesizes import A6
from reportlab.pdfgen import canvas

page = canvas.Canvas("a.pdf", pagesize=A6)
page.rect(50, 50, 100, 100, fill=1)
page.showPage()
page.save()
data = open("a.pdf", "rb").read()
image = convert_from_bytes(data, dpi=72)[0]
print(pdfinfo_from_bytes(data)["Pages"], image.size, image.getpixel((100, image.height - 100)), image.getpixel((5, 5)))
