"""Cross tabulation of a survey and a chi-squared test of independence."""
import numpy as np
import pandas as pd
from scipy import stats

rng = np.random.default_rng(66)
age = rng.choice(["18-29", "30-49", "50+"], 400, p=[0.3, 0.4, 0.3])
base = np.where(age == "18-29", 0.7, np.where(age == "30-49", 0.5, 0.35))
answer = np.where(rng.random(400) < base, "online", "in store")
df = pd.DataFrame({"age": age, "channel": answer})

counts = pd.crosstab(df["age"], df["channel"], margins=True)
print(counts.to_string())
share = pd.crosstab(df["age"], df["channel"], normalize="index")
print(share.round(3).to_string())

observed = pd.crosstab(df["age"], df["channel"]).to_numpy()
res = stats.chi2_contingency(observed)
print(f"chi2 = {res.statistic:.3f}, dof = {res.dof}, p < 0.001: {res.pvalue < 0.001}")
print("expected:", np.round(res.expected_freq, 2).tolist())
cramer = np.sqrt(res.statistic / (observed.sum() * (min(observed.shape) - 1)))
print(f"Cramer's V = {cramer:.4f}")
