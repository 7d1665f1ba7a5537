"""Generalised linear models: Poisson with exposure, logit with odds ratios, and a power calculation."""
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

rng = np.random.default_rng(62)
n = 300
roads = pd.DataFrame({"km": rng.uniform(1, 20, n).round(1), "limit": rng.choice([50, 70, 100], n), "lit": rng.integers(0, 2, n)})
mu = roads["km"] * np.exp(-2.2 + 0.012 * roads["limit"] - 0.35 * roads["lit"])
roads["crashes"] = rng.poisson(mu)
pois = smf.glm("crashes ~ limit + lit", data=roads, family=sm.families.Poisson(), offset=np.log(roads["km"])).fit()
for name in ("Intercept", "limit", "lit"):
    lo, hi = pois.conf_int().loc[name]
    print(f"{name:<10}{pois.params[name]:8.4f}  rate ratio {np.exp(pois.params[name]):.4f} [{np.exp(lo):.4f}, {np.exp(hi):.4f}]")
print(f"deviance {pois.deviance:.3f}, Pearson/df {pois.pearson_chi2 / pois.df_resid:.4f}")

hours = rng.uniform(0, 10, n).round(2)
passed = (rng.random(n) < 1 / (1 + np.exp(-(-3 + 0.7 * hours)))).astype(int)
logit = sm.Logit(passed, sm.add_constant(hours)).fit(disp=0)
print(f"logit: {logit.params[0]:.4f} {logit.params[1]:.4f}, odds ratio {np.exp(logit.params[1]):.4f}, pseudo R2 {logit.prsquared:.4f}")
print(f"half pass at {-logit.params[0] / logit.params[1]:.3f} h, average marginal effect {logit.get_margeff().margeff[0]:.4f}")
print("table:", logit.pred_table().astype(int).tolist())

stat, p = proportions_ztest([45, 62], [400, 410])
low, high = proportion_confint(45, 400, method="wilson")
print(f"proportions z {stat:.4f} p {p:.4f}; wilson {low:.4f} to {high:.4f}")
print(f"needed per group: {TTestIndPower().solve_power(effect_size=0.4, power=0.8, alpha=0.05):.2f}")
