"""Choose the number of clusters with inertia and silhouette."""
import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score, silhouette_score

X, truth = make_blobs(n_samples=200, centers=[[0, 0], [6, 1], [2, 7], [9, 8]], cluster_std=0.9, random_state=53)
scores = {}
for k in range(2, 6):
    km = KMeans(n_clusters=k, n_init=5, random_state=0).fit(X)
    scores[k] = silhouette_score(X, km.labels_)
    if k <= 4:
        print(f"k={k} inertia {km.inertia_:.1f} silhouette {scores[k]:.4f}")
best = max(scores, key=scores.get)
print("best k:", best)

km = KMeans(n_clusters=best, n_init=5, random_state=0).fit(X)
order = np.lexsort((km.cluster_centers_[:, 1], km.cluster_centers_[:, 0].round(1)))
for rank, c in enumerate(order):
    centre = km.cluster_centers_[c]
    print(f"cluster {rank}: centre ({centre[0]:.2f}, {centre[1]:.2f}) size {int((km.labels_ == c).sum())}")
print(f"adjusted Rand index {adjusted_rand_score(truth, km.labels_):.4f}")

mini = MiniBatchKMeans(n_clusters=best, n_init=5, batch_size=64, random_state=0).fit(X)
print("mini batch agrees:", adjusted_rand_score(km.labels_, mini.labels_) > 0.97)
new = np.array([[0.5, 0.2], [8.5, 7.9]])
near = km.transform(new).min(axis=1)
print("new points:", [int(np.flatnonzero(order == c)[0]) for c in km.predict(new)], "distances:", near.round(2).tolist())
