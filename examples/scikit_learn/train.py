"""Ten lines of scikit-learn, without torch."""

from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

import pcm.script as run

features, labels = load_iris(return_X_y=True)
forest = RandomForestClassifier(run.params["trees"], random_state=run.seed)
scores = cross_val_score(forest, features, labels, cv=3)
run.finish({"accuracy": scores.mean(), "spread": scores.std()})
