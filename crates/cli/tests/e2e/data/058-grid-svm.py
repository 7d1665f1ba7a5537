"""Grid search of a support vector machine, a learning curve and repeated cross-validation."""
import numpy as np
from sklearn.datasets import make_moons
from sklearn.model_selection import GridSearchCV, KFold, RepeatedStratifiedKFold, TimeSeriesSplit, cross_val_score, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

X, y = make_moons(n_samples=240, noise=0.22, random_state=58)
pipe = make_pipeline(StandardScaler(), SVC())
grid = GridSearchCV(
    pipe,
    {"svc__kernel": ["linear", "rbf"], "svc__C": [0.1, 1, 10], "svc__gamma": [0.5, 2.0]},
    cv=KFold(4, shuffle=True, random_state=1),
)
grid.fit(X, y)
print("candidates:", len(grid.cv_results_["params"]), "best kernel:", grid.best_params_["svc__kernel"])
print(f"best score {grid.best_score_:.3f}")
for kernel in ("linear", "rbf"):
    mask = np.array([p["svc__kernel"] == kernel for p in grid.cv_results_["params"]])
    print(f"{kernel:<7} best {grid.cv_results_['mean_test_score'][mask].max():.3f} worst {grid.cv_results_['mean_test_score'][mask].min():.3f}")

rbf = make_pipeline(StandardScaler(), SVC(C=1, gamma=2.0))
scores = cross_val_score(rbf, X, y, cv=RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=2))
print(f"repeated: n={scores.size} mean {scores.mean():.3f} sd {scores.std():.3f}")
sizes, train, test = learning_curve(rbf, X, y, train_sizes=[0.2, 0.5, 1.0], cv=4, shuffle=True, random_state=0)
print("sizes:", sizes.tolist(), "test:", test.mean(axis=1).round(3).tolist())
print("time splits:", [(len(a), int(b[0]), int(b[-1])) for a, b in TimeSeriesSplit(3).split(np.arange(12))])
