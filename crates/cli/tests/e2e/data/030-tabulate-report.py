"""The same league table in several text formats with tabulate."""
from tabulate import tabulate

results = [("Ajax", "Brann", 2, 1), ("Celta", "Ajax", 0, 0), ("Brann", "Celta", 3, 1), ("Dinamo", "Ajax", 1, 4), ("Brann", "Dinamo", 2, 2), ("Dinamo", "Celta", 0, 1)]
table = {}
for home, away, h, a in results:
    for team, scored, against in ((home, h, a), (away, a, h)):
        row = table.setdefault(team, {"P": 0, "W": 0, "D": 0, "L": 0, "GF": 0, "GA": 0, "Pts": 0})
        row["P"] += 1
        row["GF"] += scored
        row["GA"] += against
        key = "W" if scored > against else "D" if scored == against else "L"
        row[key] += 1
        row["Pts"] += {"W": 3, "D": 1, "L": 0}[key]
rows = sorted(table.items(), key=lambda kv: (-kv[1]["Pts"], kv[1]["GA"] - kv[1]["GF"], kv[0]))
records = [{"Team": name, **row, "Avg": row["Pts"] / row["P"]} for name, row in rows]

print(tabulate(records, headers="keys", tablefmt="grid", floatfmt=".2f"))
print(tabulate(records, headers="keys", tablefmt="github", floatfmt=".3f", showindex=range(1, 5)))
print(tabulate(records, headers="keys", tablefmt="tsv").splitlines()[1])
print(tabulate([["Zoë", None], ["Łukasz", 1234567.891]], headers=["name", "value"], missingval="?", floatfmt=",.1f"))
html = tabulate(records[:1], headers="keys", tablefmt="html")
print(html.count("<th"), "header cells,", html.count("<td"), "data cells")
