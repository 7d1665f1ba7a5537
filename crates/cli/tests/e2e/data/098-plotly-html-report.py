"""One HTML report with two plotly charts and a pandas table, checked with BeautifulSoup."""
import os
import tempfile

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
from bs4 import BeautifulSoup

df = pd.DataFrame({"stage": ["visit", "cart", "pay", "done"], "people": [4000, 1300, 720, 655]})
df["rate"] = (df["people"] / df["people"].shift()).round(3)

funnel = go.Figure(go.Funnel(y=df["stage"].tolist(), x=df["people"].tolist()), layout={"title": {"text": "Checkout"}, "height": 400})
sankey = go.Figure(go.Sankey(node={"label": ["web", "app", "paid", "left"]}, link={"source": [0, 0, 1, 1], "target": [2, 3, 2, 3], "value": [400, 2100, 255, 1245]}))
parts = [pio.to_html(f, full_html=False, include_plotlyjs=False, div_id=name, config={"displayModeBar": False}) for f, name in ((funnel, "funnel"), (sankey, "sankey"))]
page = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Funnel – Bericht</title></head>
<body><h1>Report</h1>{df.to_html(index=False, na_rep='', classes='data')}{''.join(parts)}</body></html>"""
path = os.path.join(tempfile.mkdtemp(), "report.html")
with open(path, "w", encoding="utf-8") as out:
    out.write(page)

with open(path, encoding="utf-8") as f:
    soup = BeautifulSoup(f, "lxml")
print("title:", soup.title.text, "| charts:", [d["id"] for d in soup.select("div[id]") if d["id"] in ("funnel", "sankey")])
rows = [[c.get_text() for c in tr.find_all(["th", "td"])] for tr in soup.select("table.data tr")]
for row in rows:
    print(row)
scripts = [s.get_text() for s in soup.find_all("script")]
print("newPlot calls:", sum("Plotly.newPlot" in s for s in scripts), "title in the script:", any("Checkout" in s for s in scripts))
print("overall:", round(df["people"].iloc[-1] / df["people"].iloc[0], 4), "layout height:", funnel.layout.height)
