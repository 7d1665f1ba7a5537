"""Random forest: out-of-bag score, importances and permutation check."""
import numpy as np
from sklearn.datasets import load_wine
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

wine = load_wine()
X_train, X_test, y_train, y_test = train_test_split(wine.data, wine.target, test_size=0.35, stratify=wine.target, random_state=57)
forest = RandomForestClassifier(n_estimators=40, oob_score=True, random_state=0, n_jobs=1).fit(X_train, y_train)
print(f"oob {forest.oob_score_:.2f}, test {forest.score(X_test, y_test):.2f}, trees {len(forest.estimators_)}")

imp = forest.feature_importances_
top = np.argsort(-imp)[:5]
print("importances sum to one:", np.isclose(imp.sum(), 1))
print("top five:", sorted(wine.feature_names[i] for i in top))
perm = permutation_importance(forest, X_test, y_test, n_repeats=3, random_state=0)
strong = np.argsort(-perm.importances_mean)[:2]
print("permutation finds:", sorted(wine.feature_names[i] for i in strong if i in top))
print("votes of the first test wine:", forest.predict_proba(X_test[:1]).round(1).tolist())

rng = np.random.default_rng(57)
X = rng.uniform(0, 1, (250, 4))
y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 5 * X[:, 2] + rng.normal(0, 0.3, 250)
boost = GradientBoostingRegressor(n_estimators=80, max_depth=3, learning_rate=0.1, random_state=0).fit(X[:200], y[:200])
stages = [float(np.mean((p - y[200:]) ** 2)) for p in boost.staged_predict(X[200:])]
print("boosting mse after 1, 20, 80:", [round(stages[k], 2) for k in (0, 19, 79)])
print("unused feature last:", int(np.argmin(boost.feature_importances_)) == 3)
