"""Logistic regression on the breast cancer data: report, threshold, ROC."""
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, confusion_matrix, log_loss, roc_auc_score, roc_curve
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

data = load_breast_cancer()
X_train, X_test, y_train, y_test = train_test_split(data.data, data.target, test_size=0.3, stratify=data.target, random_state=52)
model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=1000))
model.fit(X_train, y_train)
prob = model.predict_proba(X_test)[:, 1]
pred = (prob >= 0.5).astype(int)

print("classes:", data.target_names.tolist(), "train/test:", len(y_train), len(y_test))
print("confusion:", confusion_matrix(y_test, pred).tolist())
print(classification_report(y_test, pred, target_names=data.target_names, digits=3))
print(f"AUC {roc_auc_score(y_test, prob):.4f}  log loss {log_loss(y_test, prob):.3f}")

fpr, tpr, thresholds = roc_curve(y_test, prob)
k = int(np.argmax(tpr - fpr))
print(f"Youden: tpr {tpr[k]:.3f} fpr {fpr[k]:.3f}")
coef = model[-1].coef_[0]
for j in np.argsort(-np.abs(coef))[:3]:
    print(f"{data.feature_names[j]:<20}{coef[j]:+.2f}")
