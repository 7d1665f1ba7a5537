"""Read HTML tables with pandas and lxml; write a styled table back."""
import io

import pandas as pd

PAGE = """
<html><body><h1>Lakes</h1>
<table id="lakes"><thead><tr><th>Lake</th><th>Area (km²)</th><th>Depth</th><th>Countries</th></tr></thead>
<tbody>
<tr><td>Ladoga</td><td>17,700</td><td>230 m</td><td>Russia</td></tr>
<tr><td>Vänern</td><td>5,650</td><td>106 m</td><td>Sweden</td></tr>
<tr><td>Geneva</td><td>580</td><td>310 m</td><td>Switzerland, France</td></tr>
<tr><td>Garda</td><td>370</td><td>&ndash;</td><td>Italy</td></tr>
</tbody></table>
<table><tr><td>x</td><td colspan="2">spanned</td></tr><tr><td>1</td><td>2</td><td>3</td></tr></table>
</body></html>
"""
tables = pd.read_html(io.StringIO(PAGE), flavor="lxml", thousands=",", na_values=["–"])
print("tables:", [t.shape for t in tables])
lakes = tables[0].rename(columns={"Area (km²)": "area"})
lakes["Depth"] = lakes["Depth"].str.extract(r"(\d+)", expand=False).astype(float)
lakes["n"] = lakes["Countries"].str.count(",") + 1
print(lakes.drop(columns="Countries").to_string(index=False))
print("total area:", int(lakes["area"].sum()), "deepest:", lakes.loc[lakes["Depth"].idxmax(), "Lake"])
print("spanned row:", tables[1].iloc[0].tolist())

html = lakes.to_html(index=False, border=0, na_rep="unknown", columns=["Lake", "area", "Depth"], classes="plain")
print(html.splitlines()[0], html.count("<tr"), "rows", "unknown" in html)
again = pd.read_html(io.StringIO(html), na_values=["unknown"])[0]
print("same after round trip:", again["area"].tolist() == lakes["area"].tolist())
