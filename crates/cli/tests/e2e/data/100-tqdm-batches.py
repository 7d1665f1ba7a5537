"""Price an option by Monte Carlo in batches behind a silent progress bar, against the exact value."""
import io
import math

import numpy as np
from scipy.stats import norm
from tqdm import tqdm, trange

S, K, r, sigma, T = 100.0, 105.0, 0.03, 0.25, 1.0
d1 = (math.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * math.sqrt(T))
d2 = d1 - sigma * math.sqrt(T)
exact = S * norm.cdf(d1) - K * math.exp(-r * T) * norm.cdf(d2)

rng = np.random.default_rng(100)
payoffs, asian = [], []
bar = tqdm(range(20), desc="batches", disable=True)
for _ in bar:
    z = rng.standard_normal((5_000, 12))
    z = np.concatenate([z, -z])
    step = (r - sigma**2 / 2) * T / 12 + sigma * math.sqrt(T / 12) * z
    path = S * np.exp(np.cumsum(step, axis=1))
    discount = math.exp(-r * T)
    payoffs.append(discount * np.maximum(path[:, -1] - K, 0).mean())
    asian.append(discount * np.maximum(path.mean(axis=1) - K, 0).mean())
payoffs = np.array(payoffs)
error = payoffs.std(ddof=1) / math.sqrt(len(payoffs))
print(f"exact {exact:.4f}, simulated {payoffs.mean():.3f}, standard error {error:.3f}")
print("within four errors:", abs(payoffs.mean() - exact) < 4 * error)
print(f"asian call {np.mean(asian):.3f}, cheaper than the plain one: {np.mean(asian) < exact}")

log = io.StringIO()
total = sum(i * i for i in trange(1000, file=log, mininterval=60, ascii=True, ncols=60, desc="squares"))
print("sum of squares:", total, "| bar finished:", "1000/1000" in log.getvalue(), "| label:", log.getvalue().strip().startswith("squares"))
with tqdm(total=64, disable=True, unit="B") as pbar:
    for chunk in (16, 16, 32):
        pbar.update(chunk)
print("volume of the unit ball:", round(float((np.linalg.norm(rng.uniform(-1, 1, (200_000, 3)), axis=1) <= 1).mean() * 8), 2))
