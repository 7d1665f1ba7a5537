"""A set of classical tests on two drug trials."""
import numpy as np
from scipy import stats

rng = np.random.default_rng(49)
control = rng.normal(120, 9, 40).round(1)
drug_a = rng.normal(114, 9, 38).round(1)
drug_b = rng.normal(119, 14, 45).round(1)
print("means:", [round(float(g.mean()), 3) for g in (control, drug_a, drug_b)])


def show(name, res):
    print(f"{name:<16} statistic {res.statistic:9.4f}  p {res.pvalue:.4f}  {'reject' if res.pvalue < 0.05 else 'keep'}")


show("t equal var", stats.ttest_ind(control, drug_a))
show("t Welch", stats.ttest_ind(control, drug_b, equal_var=False))
show("Mann-Whitney", stats.mannwhitneyu(control, drug_a, alternative="greater"))
show("Kolmogorov", stats.ks_2samp(control, drug_b))
show("Levene", stats.levene(control, drug_a, drug_b))
show("ANOVA", stats.f_oneway(control, drug_a, drug_b))
show("Kruskal", stats.kruskal(control, drug_a, drug_b))
show("Shapiro", stats.shapiro(control))
before, after = control[:20], (control[:20] - rng.normal(2, 3, 20)).round(1)
show("paired t", stats.ttest_rel(before, after))
show("Wilcoxon", stats.wilcoxon(before, after))

odds = stats.fisher_exact([[18, 7], [9, 16]])
print(f"Fisher odds ratio {odds.statistic:.4f}, p {odds.pvalue:.4f}")
print(f"binomial p {stats.binomtest(61, 100, 0.5).pvalue:.4f}")
r, rho = stats.pearsonr(before, after), stats.spearmanr(before, after)
print(f"pearson {r.statistic:.4f}, spearman {rho.statistic:.4f}")
ci = stats.bootstrap((drug_a,), np.mean, n_resamples=999, method="percentile", rng=np.random.default_rng(1)).confidence_interval
print(f"bootstrap interval of drug A: {ci.low:.3f} to {ci.high:.3f}")
