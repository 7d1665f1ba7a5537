"""Labelled arrays over time and place with xarray."""
import numpy as np
import pandas as pd
import xarray as xr

times = pd.date_range("2024-01-01", periods=60, freq="D")
data = np.arange(60 * 6, dtype=float).reshape(60, 2, 3)
temperature = xr.DataArray(
    data, dims=("time", "lat", "lon"), coords={"time": times, "lat": [10.0, 20.0], "lon": [0.0, 1.0, 2.0]}, name="t"
)
monthly = temperature.groupby("time.month").mean()
print(monthly.sizes, monthly.sel(month=2, lat=10.0).values)
print(temperature.interp(lat=15.0, lon=0.5).isel(time=0).item())
print(temperature.rolling(time=7).mean().isel(time=6, lat=0, lon=0).item())
dataset = xr.Dataset({"t": temperature, "warm": temperature > 300})
print(dataset["warm"].sum().item(), dataset.resample(time="MS").max()["t"].isel(lat=1, lon=2).values)
print(temperature.to_dataframe().head(2).to_string())
temperature.to_netcdf("t.nc", engine="scipy")
print(xr.open_dataarray("t.nc", engine="scipy").equals(temperature))
