"""A preprocessing pipeline for mixed columns, with cross-validation."""
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

rng = np.random.default_rng(55)
n = 500
df = pd.DataFrame(
    {
        "age": rng.integers(18, 80, n).astype(float),
        "income": rng.lognormal(10, 0.5, n).round(0),
        "plan": rng.choice(["basic", "plus", "pro"], n),
        "region": rng.choice(["n", "s", "e", "w"], n),
    }
)
logit = -1.5 + 0.03 * (df["age"] - 45) + np.where(df["plan"] == "basic", 1.6, -0.4)
target = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
df.loc[rng.choice(n, 40, replace=False), "age"] = np.nan

numeric = Pipeline([("fill", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
pre = ColumnTransformer([("num", numeric, ["age", "income"]), ("cat", OneHotEncoder(handle_unknown="ignore"), ["plan", "region"])])
model = Pipeline([("pre", pre), ("clf", LogisticRegression(max_iter=500))])

folds = StratifiedKFold(5, shuffle=True, random_state=0)
res = cross_validate(model, df, target, cv=folds, scoring=["accuracy", "roc_auc"])
print("accuracy:", res["test_accuracy"].round(3).tolist())
print(f"mean AUC {res['test_roc_auc'].mean():.4f}, churn rate {target.mean():.3f}")
model.fit(df, target)
names = [str(v) for v in model["pre"].get_feature_names_out()]
coef = model["clf"].coef_[0]
for name, c in sorted(zip(names, coef), key=lambda p: -abs(p[1]))[:4]:
    print(f"{name:<14}{c:+.3f}")
probe = pd.DataFrame({"age": [30.0, np.nan], "income": [25000.0, 40000.0], "plan": ["basic", "gold"], "region": ["n", "s"]})
print("probe:", model.predict_proba(probe)[:, 1].round(3).tolist(), "columns out:", len(names))
