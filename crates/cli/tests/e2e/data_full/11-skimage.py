"""Segments, edges and a transform with scikit-image."""
import numpy as np
from skimage import color, draw, exposure, feature, filters, measure, morphology, transform

image = np.zeros((80, 100))
for row, column, radius in [(20, 20, 10), (50, 40, 14), (40, 80, 12)]:
    image[draw.disk((row, column), radius)] = 1.0
noisy = np.clip(image + np.random.default_rng(1).normal(0, 0.15, image.shape), 0, 1)
mask = morphology.opening(noisy > filters.threshold_otsu(noisy), morphology.disk(2))
labels = measure.label(mask)
for region in measure.regionprops(labels):
    print(region.label, int(round(region.area, -1)), [int(round(x)) for x in region.centroid])
print(feature.canny(image, sigma=1).sum() > 100, transform.resize(image, (40, 50)).shape)
print(color.rgb2gray(np.ones((2, 2, 3))).round(3).tolist(), exposure.equalize_hist(image).shape)
print(transform.rotate(image, 90).shape, round(float(filters.gaussian(image, 1).sum() / image.sum()), 2))
