"""Minimisation with and without constraints, roots, and a portfolio of least variance."""
import numpy as np
from scipy import optimize

res = optimize.minimize(optimize.rosen, [-1.2, 1.0, 0.8], jac=optimize.rosen_der, method="BFGS")
print("rosenbrock:", res.x.round(4).tolist(), res.success)

cov = np.array([[0.040, 0.006, 0.002, 0.000], [0.006, 0.090, 0.010, 0.004], [0.002, 0.010, 0.025, 0.003], [0.000, 0.004, 0.003, 0.010]])
mean = np.array([0.08, 0.12, 0.06, 0.03])
best = optimize.minimize(
    lambda w: w @ cov @ w,
    np.full(4, 0.25),
    jac=lambda w: 2 * cov @ w,
    method="SLSQP",
    bounds=[(0, 0.6)] * 4,
    constraints=[
        {"type": "eq", "fun": lambda w: w.sum() - 1},
        {"type": "ineq", "fun": lambda w: w @ mean - 0.06},
    ],
    options={"ftol": 1e-12},
)
print("weights:", best.x.round(3).tolist(), f"return {best.x @ mean:.4f}, risk {np.sqrt(best.fun):.4f}")

root = optimize.brentq(lambda r: sum(c / (1 + r) ** t for t, c in enumerate([-1000, 300, 420, 500])), 0.0, 1.0)
print(f"internal rate of return: {root:.5f}")
sol = optimize.root(lambda v: [v[0] ** 2 + v[1] ** 2 - 4, np.exp(v[0]) + v[1] - 1], [1.0, -1.5])
print("system:", sol.x.round(5).tolist())
scalar = optimize.minimize_scalar(lambda t: t**4 - 3 * t**3 + 2, bounds=(0, 4), method="bounded")
print(f"scalar minimum at {scalar.x:.4f} with {scalar.fun:.4f}")
glob = optimize.differential_evolution(lambda v: 20 + sum(v**2 - 10 * np.cos(2 * np.pi * v)), [(-5.12, 5.12)] * 2, rng=41)
print("rastrigin:", (np.abs(glob.x).round(3) + 0).tolist())
