"""Principal components of the handwritten digits, reconstruction error and a classifier."""
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

digits = load_digits()
X, y = digits.data, digits.target
print("shape:", X.shape, "images:", digits.images.shape, "classes:", np.bincount(y).tolist())

pca = PCA(n_components=20, svd_solver="full").fit(X)
ratio = pca.explained_variance_ratio_
print("first ratios:", ratio[:4].round(4).tolist(), f"sum of 20: {ratio.sum():.4f}")
print("orthonormal:", np.allclose(pca.components_ @ pca.components_.T, np.eye(20)))

for k in (2, 8, 20):
    Z = (X - pca.mean_) @ pca.components_[:k].T
    back = Z @ pca.components_[:k] + pca.mean_
    rmse = np.sqrt(np.mean((X - back) ** 2))
    clf = KNeighborsClassifier(5).fit(Z[:1200], y[:1200])
    print(f"{k:>2} components: rmse {rmse:.4f}, accuracy {clf.score(Z[1200:], y[1200:]):.3f}")

centred = X - X.mean(axis=0)
eig = np.linalg.eigvalsh(centred.T @ centred / (len(X) - 1))[::-1]
print("eigenvalues agree:", np.allclose(eig[:20], pca.explained_variance_), eig[:3].round(2).tolist())
print("components for 90%:", int(np.searchsorted(eig.cumsum() / eig.sum(), 0.9)) + 1)
