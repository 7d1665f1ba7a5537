"""Stream compressed JSON lines and keep running statistics per service (Welford's algorithm)."""
import gzip
import json
import math
import os
import random
import tempfile
from collections import Counter, defaultdict

random.seed(29)
path = os.path.join(tempfile.mkdtemp(), "events.jsonl.gz")
with gzip.open(path, "wt", encoding="utf-8") as out:
    for i in range(20_000):
        event = {
            "ts": 1_700_000_000 + i * 3,
            "service": random.choice(["auth", "billing", "search"]),
            "ms": random.randint(1, 900),
            "level": random.choices(["info", "warn", "error"], [90, 8, 2])[0],
        }
        out.write(json.dumps(event, separators=(",", ":")) + "\n")

stats, levels, plain = defaultdict(lambda: [0, 0.0, 0.0, 0]), Counter(), 0
with gzip.open(path, "rt", encoding="utf-8") as lines:
    for line in lines:
        plain += len(line)
        event = json.loads(line)
        n, mean, m2, top = stats[event["service"]]
        delta = event["ms"] - mean
        mean += delta / (n + 1)
        stats[event["service"]] = [n + 1, mean, m2 + delta * (event["ms"] - mean), max(top, event["ms"])]
        levels[event["service"], event["level"]] += 1
for name in sorted(stats):
    n, mean, m2, top = stats[name]
    print(f"{name:<8} n={n} mean={mean:.2f} sd={math.sqrt(m2 / (n - 1)):.2f} max={top} errors={levels[name, 'error']}")
print("plain bytes:", plain, "compressed to less than a quarter:", os.path.getsize(path) < plain / 4)
print("warnings:", sum(count for (_, level), count in levels.items() if level == "warn"))
