"""Draws into what comes back: llm-firecracker run --image python-data plot.py --output plots"""

import os

import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 2 * np.pi, 200)
plt.plot(x, np.sin(x), label="sin")
plt.plot(x, np.cos(x), label="cos")
plt.legend()
os.makedirs("out", exist_ok=True)
plt.savefig("out/plot.png")
print("out/plot.png")
