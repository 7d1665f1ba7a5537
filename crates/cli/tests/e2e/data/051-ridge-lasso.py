"""Linear, ridge and lasso regression on correlated features."""
import numpy as np
from sklearn.linear_model import Lasso, LinearRegression, Ridge, RidgeCV
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(51)
n = 200
base = rng.normal(size=(n, 6))
X = np.column_stack([base, base[:, 0] + 0.05 * rng.normal(size=n), rng.normal(size=n)])
y = 3 * X[:, 0] - 2 * X[:, 2] + 0.5 * X[:, 5] + rng.normal(0, 0.5, n) + 10
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
scaler = StandardScaler().fit(X_train)
A, B = scaler.transform(X_train), scaler.transform(X_test)

for model in (LinearRegression(), Ridge(alpha=10.0), Lasso(alpha=0.1)):
    model.fit(A, y_train)
    pred = model.predict(B)
    print(f"{type(model).__name__:<17} R2 {r2_score(y_test, pred):.4f}  MAE {mean_absolute_error(y_test, pred):.4f}  nonzero {int((np.abs(model.coef_) > 1e-8).sum())}")
    print("   ", (model.coef_.round(3) + 0.0).tolist())

cv = RidgeCV(alphas=np.logspace(-3, 3, 13)).fit(A, y_train)
print(f"chosen alpha {cv.alpha_:.4f}, intercept {cv.intercept_:.4f}")
by_hand = np.linalg.solve(A.T @ A + 10.0 * np.eye(8), A.T @ (y_train - y_train.mean()))
print("closed form agrees:", np.allclose(by_hand, Ridge(alpha=10.0).fit(A, y_train).coef_))
norms = [round(float(np.linalg.norm(Ridge(alpha=a).fit(A, y_train).coef_)), 3) for a in (0.1, 1, 10, 100, 1000)]
print("coefficient norm shrinks:", norms)
