"""Work with distributions: quantiles, fits by maximum likelihood, and goodness of fit."""
import numpy as np
from scipy import stats

print("normal quantiles:", stats.norm.ppf([0.025, 0.5, 0.975]).round(4).tolist())
print("binomial:", stats.binom.pmf(range(5), 4, 0.3).round(4).tolist(), "tail:", round(float(stats.binom.sf(2, 4, 0.3)), 4))
print("poisson cdf:", stats.poisson.cdf([0, 2, 4], 2.5).round(4).tolist(), "t:", round(float(stats.t.ppf(0.95, 9)), 4))

rng = np.random.default_rng(50)
life = stats.weibull_min.rvs(1.8, scale=1200, size=400, random_state=rng)
shape, loc, scale = stats.weibull_min.fit(life, floc=0)
print(f"weibull fit: shape {shape:.2f} scale {scale:.0f} loc {loc}")
for name in ("weibull_min", "lognorm", "expon", "gamma"):
    dist = getattr(stats, name)
    params = dist.fit(life, floc=0)
    loglik = dist.logpdf(life, *params).sum()
    free = len(params) - 1
    d = stats.kstest(life, name, args=params).statistic
    print(f"{name:<12} AIC {2 * free - 2 * loglik:10.1f}  KS {d:.3f}")

frozen = stats.weibull_min(1.8, scale=1200)
print(f"mean {frozen.mean():.2f} sd {frozen.std():.2f} B10 {frozen.ppf(0.1):.2f}")
print("describe:", [round(float(v), 3) for v in stats.describe([2, 4, 4, 5, 9, 11])[2:]], "mode:", int(stats.mode([2, 4, 4, 5]).mode))
kde = stats.gaussian_kde([1.0, 1.5, 2.2, 4.0, 4.1])
print("kde:", kde([1, 2, 4]).round(4).tolist(), f"mass {kde.integrate_box_1d(-10, 15):.4f}")
mv = stats.multivariate_normal([0, 0], [[1, 0.5], [0.5, 2]])
print(f"bivariate density {mv.pdf([0.3, -0.2]):.5f}, entropy {mv.entropy():.5f}, z scores {stats.zscore([1, 2, 3, 4]).round(3).tolist()}")
