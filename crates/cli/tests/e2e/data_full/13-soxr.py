"""A tone brought to another rate with soxr."""
import numpy as np
import soxr

tone = np.sin(2 * np.pi * 100 * np.arange(8000) / 8000)
up = soxr.resample(tone, 8000, 24_000)
print(up.shape, round(float(np.abs(up).max()), 1), soxr.resample(np.stack([tone, tone], axis=1), 8000, 4000).shape)
