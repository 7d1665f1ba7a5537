"""Match each trade to the last quote before it (merge_asof) and compute slippage."""
import pandas as pd

quotes = pd.DataFrame(
    {
        "time": pd.to_datetime(
            ["09:30:00.010", "09:30:00.050", "09:30:00.120", "09:30:01.000", "09:30:01.400", "09:30:03.000"],
            format="%H:%M:%S.%f",
        ),
        "ticker": ["AAA", "BBB", "AAA", "AAA", "BBB", "AAA"],
        "bid": [10.00, 55.10, 10.02, 10.05, 55.00, 10.01],
        "ask": [10.02, 55.20, 10.04, 10.06, 55.15, 10.04],
    }
)
trades = pd.DataFrame(
    {
        "time": pd.to_datetime(
            ["09:30:00.045", "09:30:00.130", "09:30:01.390", "09:30:01.500", "09:30:02.900"],
            format="%H:%M:%S.%f",
        ),
        "ticker": ["AAA", "BBB", "AAA", "BBB", "AAA"],
        "price": [10.02, 55.18, 10.055, 55.05, 10.06],
        "qty": [100, 40, 300, 25, 120],
    }
)
joined = pd.merge_asof(trades, quotes, on="time", by="ticker", tolerance=pd.Timedelta("1s"))
joined["mid"] = (joined["bid"] + joined["ask"]) / 2
joined["slip"] = (joined["price"] - joined["mid"]).round(4)
out = joined.assign(time=joined["time"].dt.strftime("%S.%f"))
print(out.round(4).to_string(index=False))
print("without a fresh quote:", int(joined["bid"].isna().sum()))
vwap = (trades["price"] * trades["qty"]).groupby(trades["ticker"]).sum() / trades.groupby("ticker")["qty"].sum()
print("vwap:", {k: round(float(v), 4) for k, v in vwap.items()})
