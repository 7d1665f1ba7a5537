"""Delivery dates in working days with a holiday calendar."""
import numpy as np
import pandas as pd
from pandas.tseries.holiday import AbstractHolidayCalendar, EasterMonday, GoodFriday, Holiday
from pandas.tseries.offsets import CustomBusinessDay


class PlantCalendar(AbstractHolidayCalendar):
    rules = [
        Holiday("New Year", month=1, day=1),
        GoodFriday,
        EasterMonday,
        Holiday("Labour Day", month=5, day=1),
        Holiday("Christmas", month=12, day=25),
        Holiday("Boxing Day", month=12, day=26),
    ]


holidays = PlantCalendar().holidays("2024-01-01", "2024-12-31")
print("holidays:", [d.strftime("%a %d %b") for d in holidays])

bday = CustomBusinessDay(calendar=PlantCalendar())
for ordered, lead in [("2024-03-27", 3), ("2024-04-29", 2), ("2024-12-20", 5)]:
    due = pd.Timestamp(ordered) + lead * bday
    print(f"ordered {ordered}, {lead} working days -> {due:%a %d %b %Y}")

hol = holidays.to_numpy().astype("datetime64[D]")
months = np.arange("2024-01", "2025-01", dtype="datetime64[M]")
counts = [int(np.busday_count(m.astype("datetime64[D]"), (m + 1).astype("datetime64[D]"), holidays=hol)) for m in months]
print("working days per month:", counts, "total", sum(counts))
last = pd.date_range("2024-01-01", "2024-06-30", freq="BME")
print("month ends:", [d.strftime("%d.%m.") for d in last])
