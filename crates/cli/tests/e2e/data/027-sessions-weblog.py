"""Parse web server log lines with a regular expression and build visitor sessions."""
import re

import pandas as pd

LOG = """
10.0.0.5 - - [12/Mar/2024:10:00:01 +0000] "GET /index.html HTTP/1.1" 200 5120
10.0.0.9 - - [12/Mar/2024:10:00:40 +0000] "GET /shop?item=4 HTTP/1.1" 200 2048
10.0.0.5 - - [12/Mar/2024:10:04:12 +0000] "POST /cart HTTP/1.1" 302 0
broken line that must be skipped
10.0.0.5 - - [12/Mar/2024:10:05:00 +0000] "GET /cart HTTP/1.1" 200 777
10.0.0.9 - - [12/Mar/2024:10:45:59 +0000] "GET /missing HTTP/1.1" 404 150
10.0.0.7 - - [12/Mar/2024:11:00:00 +0100] "GET / HTTP/1.0" 500 -
10.0.0.9 - - [12/Mar/2024:10:50:10 +0000] "GET /shop HTTP/1.1" 200 2048
"""
PATTERN = re.compile(
    r'^(?P<ip>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<verb>[A-Z]+) (?P<url>\S+) [^"]*" (?P<status>\d{3}) (?P<size>\d+|-)$'
)
lines = LOG.strip().splitlines()
hits = pd.DataFrame([m.groupdict() for m in map(PATTERN.match, lines) if m])
hits["time"] = pd.to_datetime(hits["time"], format="%d/%b/%Y:%H:%M:%S %z", utc=True)
hits["size"] = pd.to_numeric(hits["size"], errors="coerce").fillna(0).astype(int)
hits["status"] = hits["status"].astype(int)
print("parsed", len(hits), "of", len(lines), "lines;", hits["size"].sum(), "bytes")
print("by class:", {f"{k}xx": int(v) for k, v in (hits["status"] // 100).value_counts().sort_index().items()})

hits = hits.sort_values(["ip", "time"], ignore_index=True)
gap = hits.groupby("ip")["time"].diff()
hits["session"] = (gap.isna() | (gap > pd.Timedelta("30min"))).cumsum()
sessions = hits.groupby(["ip", "session"]).agg(start=("time", "min"), pages=("url", "size"), length=("time", lambda t: (t.max() - t.min()).total_seconds()))
sessions["start"] = sessions["start"].dt.strftime("%H:%M:%S")
print(sessions.reset_index().to_string(index=False))
print("paths:", sorted(hits["url"].str.split("?").str[0].unique()))
