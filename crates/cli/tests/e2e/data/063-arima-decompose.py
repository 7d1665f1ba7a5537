"""Seasonal decomposition, unit root test, ARIMA and exponential smoothing of monthly passengers."""
import warnings

import numpy as np
import pandas as pd
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.holtwinters import ExponentialSmoothing
from statsmodels.tsa.seasonal import seasonal_decompose
from statsmodels.tsa.stattools import acf, adfuller

warnings.simplefilter("ignore")
rng = np.random.default_rng(63)
idx = pd.date_range("2015-01-01", periods=84, freq="MS")
t = np.arange(84)
season = np.tile([-12, -9, -2, 1, 6, 14, 22, 20, 5, -4, -18, -23], 7)
y = pd.Series(200 + 1.5 * t + season + rng.normal(0, 2.5, 84), index=idx).round(1)

dec = seasonal_decompose(y, model="additive", period=12)
pattern = dec.seasonal.iloc[:12].round(1)
print("seasonal pattern:", pattern.tolist())
trend = dec.trend.dropna()
print(f"trend from {trend.iloc[0]:.2f} to {trend.iloc[-1]:.2f}, residual sd {dec.resid.std():.2f}, missing at the ends {int(dec.trend.isna().sum())}")
print("acf at 1, 6, 12:", acf(y.diff().dropna(), nlags=12)[[1, 6, 12]].round(3).tolist())
print("unit root rejected: level", adfuller(y, maxlag=12, autolag=None)[1] < 0.05, "/ seasonal difference", adfuller(y.diff(12).dropna(), maxlag=1, autolag=None)[1] < 0.05)

train, test = y.iloc[:-12], y.iloc[-12:]
hw = ExponentialSmoothing(train, trend="add", seasonal="add", seasonal_periods=12, initialization_method="heuristic").fit(smoothing_level=0.3, smoothing_trend=0.05, smoothing_seasonal=0.2, optimized=False)
print(f"Holt-Winters with fixed weights: MAE {np.abs(hw.forecast(12) - test).mean():.3f}")
adjusted = train - np.resize(pattern, len(train))
ar = ARIMA(adjusted.diff().dropna(), order=(1, 0, 1), trend="c").fit()
print(f"ARMA drift {ar.params['const']:.1f}, observations {int(ar.nobs)}")
naive = np.abs(test.to_numpy() - train.iloc[-12:].to_numpy()).mean()
print(f"seasonal naive MAE {naive:.3f}; next year peak month {test.idxmax():%B}")
