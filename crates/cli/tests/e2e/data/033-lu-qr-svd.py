"""Solve a linear system by LU, QR, Cholesky and SVD, and compare."""
import numpy as np
from scipy import linalg

rng = np.random.default_rng(33)
A = rng.integers(-5, 6, (6, 6)).astype(float) + 12 * np.eye(6)
x_true = np.arange(1.0, 7.0)
b = A @ x_true

lu = linalg.lu_factor(A)
q, r = np.linalg.qr(A)
u, s, vt = np.linalg.svd(A)
spd = A.T @ A
cho = linalg.cho_factor(spd)
solutions = {
    "lu": linalg.lu_solve(lu, b),
    "qr": linalg.solve_triangular(r, q.T @ b),
    "svd": vt.T @ ((u.T @ b) / s),
    "cholesky": linalg.cho_solve(cho, A.T @ b),
}
for name, x in solutions.items():
    print(f"{name:<9}", [f"{v:.6f}" for v in x], "ok" if np.allclose(x, x_true) else "off")

print(f"det {np.linalg.det(A):.2f}  cond {np.linalg.cond(A):.4f}  rank {np.linalg.matrix_rank(A)}")
print("singular values:", np.round(s, 4).tolist())
print("orthogonal:", np.allclose(q.T @ q, np.eye(6)), "upper:", np.allclose(r, np.triu(r)))

tall = np.column_stack([np.ones(8), np.arange(8.0)])
y = np.array([1.1, 2.9, 5.2, 7.1, 8.8, 11.2, 12.9, 15.1])
coef, rss, rank, _ = np.linalg.lstsq(tall, y, rcond=None)
print(f"least squares: {coef[0]:.4f} + {coef[1]:.4f} t, rss {rss[0]:.4f}, rank {rank}")
print("pinv agrees:", np.allclose(np.linalg.pinv(tall) @ y, coef), f"norm expm: {np.linalg.norm(linalg.expm(A / 20)):.4f}")
