"""A decision tree on iris: rules, pruning path and regression tree steps."""
import numpy as np
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, export_text

iris = load_iris()
X_train, X_test, y_train, y_test = train_test_split(iris.data, iris.target, test_size=0.4, stratify=iris.target, random_state=56)
tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X_train[:, 2:], y_train)
print(export_text(tree, feature_names=["petal length", "petal width"], decimals=2))
print("accuracy:", round(accuracy_score(y_test, tree.predict(X_test[:, 2:])), 3), "leaves:", tree.get_n_leaves())

full = DecisionTreeClassifier(random_state=0).fit(X_train, y_train)
path = full.cost_complexity_pruning_path(X_train, y_train)
print("full depth:", full.get_depth(), "alphas increase:", bool(np.all(np.diff(path.ccp_alphas) >= 0)))
for alpha in (0.0, 0.02, 0.2):
    scores = cross_val_score(DecisionTreeClassifier(ccp_alpha=alpha, random_state=0), iris.data, iris.target, cv=5)
    print(f"alpha {alpha}: cv accuracy {scores.mean():.2f}")

x = np.linspace(0, 10, 101)[:, None]
steps = DecisionTreeRegressor(max_leaf_nodes=4, random_state=0).fit(x, np.where(x[:, 0] < 3, 1.0, np.where(x[:, 0] < 7, 4.0, 2.0)))
print("levels:", sorted(set(steps.predict(x).round(3).tolist())), "cuts:", sorted(round(float(t), 2) for t in steps.tree_.threshold if t > 0))
