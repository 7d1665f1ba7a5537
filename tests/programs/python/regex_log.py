"""Takes a web server's log apart with named groups, lookaheads and a scanner."""
import re
from collections import Counter
from datetime import datetime, timezone

LOG = """\
192.0.2.7 - alice [10/Oct/2024:13:55:36 +0000] "GET /index.html?q=a%20b HTTP/1.1" 200 2326
198.51.100.23 - - [10/Oct/2024:13:55:39 +0200] "POST /api/v1/items HTTP/2" 201 17
this line is broken
192.0.2.7 - alice [10/Oct/2024:13:56:01 +0000] "GET /img/logo.png HTTP/1.1" 304 0
203.0.113.9 - bob [11/Oct/2024:00:00:00 +0000] "DELETE /api/v1/items/42 HTTP/2" 403 98
198.51.100.23 - - [11/Oct/2024:00:00:07 +0000] "GET /wp-login.php HTTP/1.1" 404 153
"""

LINE = re.compile(
    r"""^(?P<ip>(?:\d{1,3}\.){3}\d{1,3})\ -\ (?P<user>\S+)\ \[(?P<time>[^\]]+)\]\ 
        "(?P<method>[A-Z]+)\ (?P<path>[^\s?"]+)(?:\?(?P<query>\S*))?\ HTTP/(?P<version>[\d.]+)"\ 
        (?P<status>[1-5]\d\d)\ (?P<size>\d+)$""",
    re.VERBOSE,
)

statuses, traffic = Counter(), Counter()
for number, line in enumerate(LOG.splitlines(), 1):
    match = LINE.match(line)
    if not match:
        print(f"line {number}: no match: {line!r}")
        continue
    when = datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z").astimezone(timezone.utc)
    statuses[match["status"][0] + "xx"] += 1
    traffic[match["ip"]] += int(match["size"])
    print(when.isoformat(), match["method"].ljust(6), match["path"], match["query"] or "-", sep=" | ")
print(sorted(statuses.items()), traffic.most_common(2))

print(re.sub(r"(?<=\d)(?=(?:\d{3})+\b)", ",", "1234567 rows, 999 bad, 1000 old"))
print(re.sub(r"_(\w)", lambda m: m[1].upper(), "snake_case_to_camel_case"))
print(re.findall(r"\b(\w+)\s+\1\b", "it is is what what it was"))
print(re.split(r"\s*[,;]\s*", "a , b;c ;  d"), re.fullmatch(r"(a|b)*c", "ababc").span())

scanner = re.Scanner([
    (r"\d+", lambda _, text: ("number", int(text))),
    (r"[+*/()-]", lambda _, text: ("operator", text)),
    (r"\s+", None),
])
print(*scanner.scan("12*(3 + 45) # rest"))
