"""DBSCAN, hierarchical clustering, and outliers by isolation forest and nearest neighbours."""
import numpy as np
from scipy.cluster.hierarchy import cophenet, fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.cluster import DBSCAN, AgglomerativeClustering
from sklearn.datasets import make_circles
from sklearn.ensemble import IsolationForest
from sklearn.impute import KNNImputer
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import LocalOutlierFactor

X, ring = make_circles(n_samples=300, factor=0.45, noise=0.04, random_state=59)
db = DBSCAN(eps=0.2, min_samples=5).fit(X)
print("dbscan clusters:", len(set(db.labels_) - {-1}), "noise:", int((db.labels_ == -1).sum()), f"rand {adjusted_rand_score(ring, db.labels_):.3f}")
single = AgglomerativeClustering(n_clusters=2, linkage="single").fit_predict(X)
ward = AgglomerativeClustering(n_clusters=2, linkage="ward").fit_predict(X)
print(f"single linkage {adjusted_rand_score(ring, single):.3f}, ward below 0.5: {adjusted_rand_score(ring, ward) < 0.5}")

cities = {"A": (0, 0), "B": (1, 0.5), "C": (0.4, 1.2), "D": (8, 8), "E": (9, 7.5), "F": (4, 20)}
pts = np.array(list(cities.values()))
Z = linkage(pts, method="average")
labels = fcluster(Z, t=5, criterion="distance")
groups = {}
for name, c in zip(cities, labels):
    groups.setdefault(int(c), []).append(name)
print("groups:", sorted(groups.values()), "merge heights:", Z[:, 2].round(3).tolist(), f"cophenetic {cophenet(Z, pdist(pts))[0]:.4f}")

rng = np.random.default_rng(59)
data = np.vstack([rng.normal(0, 1, (200, 2)), [[7, 7], [-8, 6], [9, -7]]])
iso = IsolationForest(n_estimators=50, contamination=3 / 203, random_state=0).fit_predict(data)
lof = LocalOutlierFactor(n_neighbors=20, contamination=3 / 203).fit_predict(data)
print("isolation forest:", np.flatnonzero(iso == -1).tolist(), "lof:", np.flatnonzero(lof == -1).tolist())
holes = np.array([[1, 2, np.nan], [3, 4, 3], [np.nan, 6, 5], [8, 8, 7]])
print("knn imputed:", KNNImputer(n_neighbors=2).fit_transform(holes).tolist())
