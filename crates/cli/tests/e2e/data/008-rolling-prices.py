"""Moving averages, volatility and the largest draw-down of a price series."""
import numpy as np
import pandas as pd

rng = np.random.default_rng(2008)
days = pd.bdate_range("2023-01-02", periods=260)
price = pd.Series(100 * np.exp(np.cumsum(rng.normal(0.0004, 0.011, len(days)))), index=days).round(2)

frame = pd.DataFrame({"price": price})
frame["sma20"] = price.rolling(20).mean()
frame["sma60"] = price.rolling(60, min_periods=60).mean()
frame["ewm"] = price.ewm(span=20, adjust=False).mean()
ret = price.pct_change()
frame["vol"] = ret.rolling(20).std() * np.sqrt(252)
print(frame.iloc[[0, 19, 59, 150, 259]].round(3).to_string())

cross = (frame["sma20"] > frame["sma60"]).astype(int).diff()
cross = cross[frame["sma60"].notna() & (cross != 0)].iloc[1:]
print("crossings:", [(d.strftime("%Y-%m-%d"), "up" if v > 0 else "down") for d, v in cross.items()][:4])

peak = price.cummax()
drawdown = price / peak - 1
low = drawdown.idxmin()
print(f"max drawdown {drawdown.min():.2%} on {low:%Y-%m-%d}, peak {peak[low]:.2f}")
by_time = price.rolling("30D").agg(["min", "max"]).iloc[-1]
print("30 day range:", by_time.tolist())
