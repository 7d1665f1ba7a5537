"""Time zones and daylight saving with zoneinfo, pytz and pandas."""
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd
import pytz

start = datetime(2024, 3, 29, 15, 0, tzinfo=ZoneInfo("America/New_York"))
for days in (0, 3, 7):
    meet = start + timedelta(days=days)
    row = [meet.astimezone(ZoneInfo(z)).strftime("%a %H:%M %Z") for z in ("Europe/London", "Asia/Tokyo", "Asia/Kolkata")]
    print(meet.strftime("%d %b"), "|", " | ".join(row))

berlin = pytz.timezone("Europe/Berlin")
for fold in (True, False):
    moment = berlin.localize(datetime(2024, 10, 27, 2, 30), is_dst=fold)
    print(moment.isoformat(), "->", moment.astimezone(timezone.utc).strftime("%H:%M UTC"))

naive = pd.DatetimeIndex(["2024-03-31 01:30", "2024-03-31 02:30", "2024-03-31 03:30"])
fixed = naive.tz_localize("Europe/Berlin", nonexistent="shift_forward")
print([t.isoformat() for t in fixed])

utc = pd.date_range("2024-10-26 22:00", periods=5, freq="h", tz="UTC").tz_convert("Europe/Berlin")
print([t.strftime("%H:%M%z") for t in utc])
hours = pd.Series(1, index=pd.date_range("2024-10-26", "2024-10-29", freq="h", tz="Europe/Berlin", inclusive="left"))
print("hours per local day:", hours.resample("D").sum().tolist())
