"""Two-way analysis of variance, Tukey comparisons, multiple testing and a mixed design."""
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.stats.multicomp import pairwise_tukeyhsd
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(64)
rows = []
for soil, s in (("clay", 0.0), ("loam", 4.0), ("sand", -3.0)):
    for feed, f in (("none", 0.0), ("npk", 5.0)):
        for _ in range(8):
            rows.append((soil, feed, round(30 + s + f + (2.5 if (soil, feed) == ("loam", "npk") else 0) + rng.normal(0, 2.2), 2)))
crop = pd.DataFrame(rows, columns=["soil", "feed", "yield_"])
means = crop.pivot_table(index="soil", columns="feed", values="yield_")
print(means.round(3).to_string())

fit = smf.ols("yield_ ~ C(soil) * C(feed)", data=crop).fit()
table = sm.stats.anova_lm(fit, typ=2)
for name, row in table.iterrows():
    text = "" if np.isnan(row["F"]) else f"F {row['F']:.3f} p {row['PR(>F)']:.4f}"
    print(f"{name:<18}SS {row['sum_sq']:9.3f} df {row['df']:.0f} {text}".rstrip())

tukey = pairwise_tukeyhsd(crop["yield_"], crop["soil"])
for a, b, diff, ok in zip(["clay", "clay", "loam"], ["loam", "sand", "sand"], tukey.meandiffs, tukey.reject):
    print(f"{a} - {b}: {diff:+.4f} {'differs' if ok else 'same'}")
raw = [0.001, 0.012, 0.03, 0.04, 0.2]
for method in ("bonferroni", "holm", "fdr_bh"):
    reject, adjusted, *_ = multipletests(raw, alpha=0.05, method=method)
    print(f"{method:<11}", adjusted.round(4).tolist(), int(reject.sum()), "rejected")
print(f"eta squared soil {table.loc['C(soil)', 'sum_sq'] / table['sum_sq'].sum():.4f}")
