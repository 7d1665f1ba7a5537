"""Down- and upsampling of an hourly energy meter."""
import numpy as np
import pandas as pd

idx = pd.date_range("2024-02-26", periods=14 * 24, freq="h")
hour = idx.hour.to_numpy()
load = 300 + 120 * ((hour >= 7) & (hour < 20)) + 60 * ((hour >= 18) & (hour < 22)) - 50 * (idx.day_of_week.to_numpy() >= 5)
load = load + np.random.default_rng(7).integers(-20, 21, len(idx))
meter = pd.Series(load, index=idx, name="kWh")

daily = meter.resample("D").agg(["sum", "max", "idxmax"])
daily["idxmax"] = pd.to_datetime(daily["idxmax"]).dt.strftime("%H:%M")
daily.index = daily.index.strftime("%a %d %b")
print(daily.head(7).to_string())

weekly = meter.resample("W-SUN").sum()
print({k.strftime("%G-W%V"): int(v) for k, v in weekly.items()})

monthly = meter.resample("ME").mean().round(2)
print({k.strftime("%b"): float(v) for k, v in monthly.items()})

quarter_hours = meter.iloc[:4].resample("15min").interpolate("linear")
print(quarter_hours.round(1).iloc[:6].tolist(), len(quarter_hours))

profile = meter.groupby([meter.index.day_of_week >= 5, meter.index.hour]).mean().unstack(0)
profile.columns = ["workday", "weekend"]
print(profile.loc[[3, 9, 19, 23]].round(2).to_string())
