"""Parallel bootstrap with joblib (two jobs), a memory cache and a compressed dump."""
import os
import tempfile

import joblib
import numpy as np
from joblib import Memory, Parallel, delayed


def bootstrap(values, seed, rounds=200):
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(values), (rounds, len(values)))
    return np.median(values[picks], axis=1)


if __name__ == "__main__":
    folder = tempfile.mkdtemp()
    sample = np.random.default_rng(39).gamma(3.0, 2.0, 300)
    serial = [bootstrap(sample, seed) for seed in range(6)]
    for backend in ("threading", "loky"):
        out = Parallel(n_jobs=2, backend=backend)(delayed(bootstrap)(sample, seed) for seed in range(6))
        same = all(np.array_equal(a, b) for a, b in zip(serial, out))
        medians = np.concatenate(out)
        lo, hi = np.percentile(medians, [2.5, 97.5])
        print(f"{backend}: {medians.size} medians, 95% interval {lo:.3f} to {hi:.3f}, same as serial: {same}")

    calls = []
    memory = Memory(folder, verbose=0)

    @memory.cache
    def slow_square(x):
        calls.append(x)
        return x * x

    print([slow_square(v) for v in (3, 4, 3, 3, 4)], "computed:", calls)
    path = os.path.join(folder, "model.joblib")
    joblib.dump({"sample": sample, "name": "gamma"}, path, compress=3)
    back = joblib.load(path)
    print("restored:", sorted(back), np.array_equal(back["sample"], sample))
    print("hash stable:", joblib.hash(sample) == joblib.hash(sample.copy()))
