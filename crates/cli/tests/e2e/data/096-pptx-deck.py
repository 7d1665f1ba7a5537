"""Build a slide deck with bullets, a native chart and a table; inspect it again."""
import io

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches, Pt

deck = Presentation()
deck.slide_width, deck.slide_height = Inches(13.333), Inches(7.5)
cover = deck.slides.add_slide(deck.slide_layouts[0])
cover.shapes.title.text = "Results 2024"
cover.placeholders[1].text = "Vertrieb – 销售部"
body = deck.slides.add_slide(deck.slide_layouts[1])
body.shapes.title.text = "Highlights"
frame = body.placeholders[1].text_frame
frame.text = "Revenue up 12%"
for text, level in (("Online doubled", 1), ("Two new markets", 0)):
    par = frame.add_paragraph()
    par.text, par.level, par.font.size = text, level, Pt(20)
body.notes_slide.notes_text_frame.text = "Mention the exchange rate."

data = CategoryChartData()
data.categories = ["Q1", "Q2", "Q3", "Q4"]
data.add_series("2023", (19.2, 21.4, 16.7, 23.0))
data.add_series("2024", (22.3, 24.6, 18.2, 26.9))
page = deck.slides.add_slide(deck.slide_layouts[5])
page.shapes.title.text = "By quarter"
page.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(1.5), Inches(7), Inches(5), data)
table = page.shapes.add_table(2, 2, Inches(8.5), Inches(2), Inches(4), Inches(1)).table
table.cell(0, 0).text, table.cell(1, 0).text = "Sum", "92.0"
out = io.BytesIO()
deck.save(out)

back = Presentation(io.BytesIO(out.getvalue()))
for k, slide in enumerate(back.slides, start=1):
    texts = [p.text for s in slide.shapes if s.has_text_frame for p in s.text_frame.paragraphs if p.text]
    print(k, slide.slide_layout.name, texts, [str(s.shape_type).split(" ")[0].split(".")[-1] for s in slide.shapes], slide.has_notes_slide)
chart = next(s.chart for s in back.slides[2].shapes if s.has_chart)
print("series:", {s.name: round(sum(s.values), 1) for s in chart.plots[0].series}, "categories:", list(chart.plots[0].categories))
