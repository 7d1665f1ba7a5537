"""Build plotly figures and inspect their JSON; round trip through plotly.io."""
import json

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import plotly.io as pio
from plotly.subplots import make_subplots

df = pd.DataFrame({"year": [2021, 2022, 2023] * 2, "country": ["NO"] * 3 + ["SE"] * 3, "gwh": [110, 118, 121, 140, 133, 138]})
line = px.line(df, x="year", y="gwh", color="country", markers=True, title="Electricity")
line.update_layout(yaxis_title="GWh", legend_title_text="Country")
spec = json.loads(line.to_json())
print("line:", [(t["type"], t["name"], t["mode"]) for t in spec["data"]], "|", spec["layout"]["title"]["text"])
print("axis titles:", spec["layout"]["xaxis"]["title"]["text"], spec["layout"]["yaxis"]["title"]["text"])

fig = make_subplots(rows=1, cols=2, subplot_titles=("bars", "heat"))
fig.add_trace(go.Bar(x=["a", "b", "c"], y=[3, 1, 2], marker_color="teal"), row=1, col=1)
fig.add_trace(go.Heatmap(z=[[1, 2], [3, 4]], colorscale="Viridis", showscale=False), row=1, col=2)
fig.update_xaxes(title_text="letter", row=1, col=1)
fig.add_annotation(text="top", x="a", y=3, row=1, col=1)
print("subplots:", [t.type for t in fig.data], "annotations:", [a.text for a in fig.layout.annotations])

again = pio.from_json(pio.to_json(fig))
print("round trip:", again == fig, list(again.data[0].y), again.data[1].z[1][1])
hist = px.histogram(x=np.arange(100) % 7, nbins=7, labels={"x": "weekday"})
box = go.Figure([go.Box(y=[1, 2, 3, 4, 10], name=n, boxpoints="all") for n in "AB"])
print("hist:", hist.data[0].type, hist.layout.xaxis.title.text, "| box:", len(box.data), box.data[1].name)
try:
    go.Scatter(x=[1], y=[2], mode="sideways")
except ValueError as exc:
    print("refused:", str(exc).strip().splitlines()[0].strip()[:20], "...")
