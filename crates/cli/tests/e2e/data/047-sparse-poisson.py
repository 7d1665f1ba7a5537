"""Solve a Poisson equation on a grid with sparse matrices, directly and by iteration."""
import numpy as np
from scipy import sparse
from scipy.sparse import linalg as sla

n = 60
h = 1 / (n + 1)
T = sparse.diags([-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], [-1, 0, 1])
I = sparse.identity(n)
A = ((sparse.kron(I, T) + sparse.kron(T, I)) / h**2).tocsr()
print("matrix:", A.shape, "nonzeros:", A.nnz, f"density {A.nnz / (n * n) ** 2:.6f}", "symmetric:", (A - A.T).nnz == 0)

g = np.linspace(h, 1 - h, n)
X, Y = np.meshgrid(g, g, indexing="ij")
exact = np.sin(np.pi * X) * np.sin(2 * np.pi * Y)
rhs = 5 * np.pi**2 * exact

direct = sla.spsolve(A.tocsc(), rhs.ravel()).reshape(n, n)
print(f"largest error of the direct solution: {np.abs(direct - exact).max():.6f}")
steps = []
cg, info = sla.cg(A, rhs.ravel(), rtol=1e-9, callback=lambda xk: steps.append(1))
print("cg converged:", info == 0, "fewer than 200 steps:", len(steps) < 200, "agrees:", np.allclose(cg.reshape(n, n), direct, atol=1e-6))

low = sla.eigsh(A, k=3, sigma=0, v0=np.ones(n * n), return_eigenvectors=False)
print("lowest eigenvalues / pi^2:", np.round(np.sort(low) / np.pi**2, 3).tolist())
lu = sla.splu(A.tocsc())
print("lu reused:", np.allclose(lu.solve(np.ones(n * n)) * 2, lu.solve(2 * np.ones(n * n))), f"centre {direct[30, 15]:.4f}")
coo = sparse.coo_array((np.array([1, 2, 3, 4]), (np.array([0, 1, 1, 0]), np.array([2, 0, 0, 2]))), shape=(2, 3))
print("duplicates summed:", coo.tocsr().toarray().tolist(), "bytes of csr:", A.data.nbytes + A.indices.nbytes + A.indptr.nbytes)
