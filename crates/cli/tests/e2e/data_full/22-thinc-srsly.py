"""A small network with thinc, records with srsly."""
import numpy as np
import srsly
from thinc.api import Adam, Relu, Softmax, chain, fix_random_seed

fix_random_seed(0)
points = np.random.default_rng(0).normal(size=(200, 2)).astype("f")
labels = np.eye(2, dtype="f")[(points[:, 0] * points[:, 1] > 0).astype(int)]
model = chain(Relu(16), Relu(16), Softmax())
model.initialize(X=points, Y=labels)
optimizer = Adam(0.02)
for _ in range(200):
    guesses, backprop = model.begin_update(points)
    backprop((guesses - labels) / len(points))
    model.finish_update(optimizer)
print("learnt:", bool((model.predict(points).argmax(1) == labels.argmax(1)).mean() > 0.95))
print(srsly.json_loads(srsly.json_dumps({"a": [1, 2]})), srsly.msgpack_loads(srsly.msgpack_dumps([1, "b"])))
