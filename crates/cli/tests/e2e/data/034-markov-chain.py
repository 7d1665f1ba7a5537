"""Stationary distribution of a weather Markov chain by eigenvectors, powers and simulation."""
import numpy as np

states = ["sun", "cloud", "rain", "snow"]
P = np.array([[0.70, 0.20, 0.09, 0.01], [0.30, 0.40, 0.25, 0.05], [0.20, 0.45, 0.30, 0.05], [0.10, 0.40, 0.10, 0.40]])
assert np.allclose(P.sum(axis=1), 1)

values, vectors = np.linalg.eig(P.T)
k = int(np.argmin(np.abs(values - 1)))
pi = np.real(vectors[:, k])
pi /= pi.sum()
print("stationary:", {s: round(float(p), 4) for s, p in zip(states, pi)})

power = np.linalg.matrix_power(P, 60)
print("rows of P^60 equal pi:", np.allclose(power, pi))
second = sorted(np.abs(values))[-2]
print(f"second eigenvalue {second:.4f}, mixing time {1 / -np.log(second):.3f} steps")

rng = np.random.default_rng(34)
cumulative = P.cumsum(axis=1)
draws = rng.random(20_000)
path = np.empty(len(draws), dtype=int)
state = 0
for i, d in enumerate(draws):
    state = min(int(np.searchsorted(cumulative[state], d)), 3)
    path[i] = state
freq = np.bincount(path, minlength=4) / len(path)
print("simulated:", freq.round(3).tolist(), "largest gap below 0.02:", bool(np.abs(freq - pi).max() < 0.02))

Q = P[:3, :3]
hitting = np.linalg.solve(np.eye(3) - Q, np.ones(3))
print("days until snow:", {s: round(float(h), 3) for s, h in zip(states, hitting)})
