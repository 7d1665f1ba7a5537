"""Split, merge, rotate, stamp and bookmark PDF files with pypdf."""
import io
import os
import tempfile

from pypdf import PdfReader, PdfWriter, Transformation
from reportlab.pdfgen import canvas


def booklet(name, pages, size=(300, 400)):
    buf = io.BytesIO()
    pdf = canvas.Canvas(buf, pagesize=size, invariant=1)
    for k in range(1, pages + 1):
        pdf.drawString(50, 250, f"{name} page {k}")
        pdf.showPage()
    pdf.save()
    return PdfReader(buf)


a, b, stamp = booklet("Alpha", 3), booklet("Beta", 2, (400, 300)), booklet("DRAFT", 1)
writer = PdfWriter()
writer.append(a, pages=(0, 2))
writer.append(b)
writer.add_page(a.pages[2])
writer.pages[1].rotate(90)
writer.pages[4].merge_page(stamp.pages[0])
writer.pages[3].add_transformation(Transformation().scale(0.5, 0.5).translate(10, 20))
writer.add_outline_item(title="Start", page_number=0)
writer.add_outline_item(title="Beta part", page_number=2)
writer.add_metadata({"/Title": "Merged – Überblick", "/Keywords": "a, b"})
path = os.path.join(tempfile.mkdtemp(), "merged.pdf")
writer.write(path)

reader = PdfReader(path)
print("pages:", len(reader.pages), "title:", reader.metadata.title)
for k, page in enumerate(reader.pages):
    text = " / ".join(line.strip() for line in page.extract_text().splitlines() if line.strip())
    print(k, [int(float(v)) for v in page.mediabox[2:]], page.rotation, text)
print("outline:", [(o.title, reader.get_destination_page_number(o)) for o in reader.outline])
