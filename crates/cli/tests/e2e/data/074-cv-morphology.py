"""Clean a noisy scan: threshold, open and close, distance transform, count coins."""
import cv2
import numpy as np

rng = np.random.default_rng(74)
scan = np.full((220, 320), 60, np.uint8)
coins = [(50, 60, 28), (130, 70, 32), (185, 70, 30), (260, 60, 26), (80, 160, 34), (150, 165, 25), (250, 160, 38)]
for x, y, r in coins:
    cv2.circle(scan, (x, y), r, 190, -1)
noisy = np.clip(scan.astype(int) + rng.integers(-25, 26, scan.shape), 0, 255).astype(np.uint8)
flips = rng.random(scan.shape)
noisy[flips < 0.02] = 0
noisy[flips > 0.98] = 255

level, otsu = cv2.threshold(cv2.medianBlur(noisy, 3), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
print("otsu level between the two greys:", 60 < level < 190, "foreground share:", round(float((otsu > 0).mean()), 3))
kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
print("kernel:", kernel.sum(axis=1).tolist())
opened = cv2.morphologyEx(otsu, cv2.MORPH_OPEN, kernel)
closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel)
wrong = int(((closed > 0) != (scan > 100)).sum())
print("wrong pixels below 1%:", wrong < closed.size // 100)

touching = cv2.connectedComponents(closed)[0] - 1
dist = cv2.distanceTransform(closed, cv2.DIST_L2, 5)
seeds = (dist > 18).astype(np.uint8)
n, markers = cv2.connectedComponents(seeds)
print("blobs:", touching, "seeds:", n - 1, "coins drawn:", len(coins))
sizes = sorted(round(float(dist[markers == k].max())) for k in range(1, n))
print("radii within 2 px:", all(abs(a - b) <= 2 for a, b in zip(sizes, sorted(r for _, _, r in coins))))

bar = np.zeros((40, 90), np.uint8)
bar[15:25, 10:80] = 255
erode, dilate = cv2.erode(bar, np.ones((3, 3), np.uint8)), cv2.dilate(bar, np.ones((3, 3), np.uint8))
print("pixels:", int((bar > 0).sum()), "eroded:", int((erode > 0).sum()), "dilated:", int((dilate > 0).sum()))
print("gradient:", int((cv2.morphologyEx(bar, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0).sum()))
adaptive = cv2.adaptiveThreshold(np.tile(np.arange(90, dtype=np.uint8), (40, 1)), 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 11, 2)
print("even ramp stays white:", round(float((adaptive[:, 6:-6] > 0).mean()), 2))
