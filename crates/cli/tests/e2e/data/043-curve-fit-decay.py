"""Fit a radioactive decay with background and an enzyme curve; give errors."""
import numpy as np
from scipy.optimize import curve_fit, least_squares


def decay(t, n0, tau, background):
    return n0 * np.exp(-t / tau) + background


rng = np.random.default_rng(43)
t = np.linspace(0, 30, 61)
counts = rng.poisson(decay(t, 900, 6.5, 40)).astype(float)
popt, pcov = curve_fit(decay, t, counts, p0=[800, 5, 20], sigma=np.sqrt(counts), absolute_sigma=True)
errors = np.sqrt(np.diag(pcov))
for name, value, err in zip(["n0", "tau", "background"], popt, errors):
    print(f"{name:<11}{value:9.3f} +- {err:.3f}")
chi2 = (((counts - decay(t, *popt)) / np.sqrt(counts)) ** 2).sum()
print(f"chi2/dof {chi2 / (t.size - 3):.4f}, half life {popt[1] * np.log(2):.3f}")

s = np.array([0.5, 1, 2, 4, 8, 16, 32])
v = np.array([0.98, 1.64, 2.55, 3.40, 4.15, 4.60, 4.79])
(vmax, km), _ = curve_fit(lambda s, vmax, km: vmax * s / (km + s), s, v, p0=[5, 2])
slope, intercept = np.polyfit(1 / s, 1 / v, 1)
print(f"Michaelis-Menten: vmax {vmax:.3f} km {km:.3f}; Lineweaver-Burk: {1 / intercept:.3f} {slope / intercept:.3f}")

x = np.arange(12.0)
y = 3 + 0.5 * x
y[[4, 9]] += 10
for loss in ("linear", "soft_l1"):
    fit = least_squares(lambda p: p[0] + p[1] * x - y, [0.0, 0.0], loss=loss, f_scale=0.1)
    print(f"{loss:<8} a={fit.x[0]:.3f} b={fit.x[1]:.3f}")
