"""Ordinary least squares with formulas: interaction, robust errors, prediction and tests."""
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.stats.stattools import durbin_watson

rng = np.random.default_rng(61)
n = 150
homes = pd.DataFrame({"area": rng.uniform(40, 160, n).round(0), "age": rng.integers(0, 60, n), "zone": rng.choice(["city", "edge", "rural"], n)})
bonus = homes["zone"].map({"city": 60.0, "edge": 25.0, "rural": 0.0})
homes["price"] = (50 + 2.1 * homes["area"] - 0.8 * homes["age"] + bonus + rng.normal(0, 0.12 * homes["area"])).round(1)

fit = smf.ols("price ~ area + age + C(zone, Treatment('rural'))", data=homes).fit()
for name, b, se, t in zip(fit.model.exog_names, fit.params, fit.bse, fit.tvalues):
    print(f"{name:<42}{b:9.3f}{se:8.3f}{t:8.2f}")
print(f"R2 {fit.rsquared:.4f}, adjusted {fit.rsquared_adj:.4f}, AIC {fit.aic:.2f}, F {fit.fvalue:.2f}")
print(f"Durbin-Watson {durbin_watson(fit.resid):.3f}, Breusch-Pagan p < 0.01: {het_breuschpagan(fit.resid, fit.model.exog)[1] < 0.01}")
robust = fit.get_robustcov_results("HC3")
print("HC3 errors:", np.round(robust.bse, 3).tolist())

inter = smf.ols("price ~ area * zone + age", data=homes).fit()
f, p, df = inter.compare_f_test(fit)
print(f"interaction F {f:.3f}, p {p:.3f}, df {df:.0f}")
new = pd.DataFrame({"area": [70, 120], "age": [10, 30], "zone": ["city", "rural"]})
frame = fit.get_prediction(new).summary_frame(alpha=0.05)[["mean", "mean_ci_lower", "mean_ci_upper"]]
print(frame.round(2).to_string(index=False))
X = sm.add_constant(homes[["area", "age"]].astype(float)).to_numpy()
print("VIF:", [round(float(variance_inflation_factor(X, k)), 3) for k in (1, 2)])
