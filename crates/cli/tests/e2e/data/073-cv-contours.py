"""Find shapes in a binary image with OpenCV: contours, areas, hulls and moments."""
import cv2
import numpy as np

img = np.zeros((300, 400), np.uint8)
cv2.rectangle(img, (20, 30), (120, 90), 255, -1)
cv2.circle(img, (220, 80), 45, 255, -1)
cv2.fillPoly(img, [np.array([[320, 40], [380, 130], [290, 120]], np.int32)], 255)
cv2.ellipse(img, (110, 210), (80, 40), 0, 0, 360, 255, -1)
cv2.circle(img, (110, 210), 15, 0, -1)
cv2.fillPoly(img, [np.array([[250, 180], [380, 180], [380, 210], [290, 210], [290, 280], [250, 280]], np.int32)], 255)

contours, hierarchy = cv2.findContours(img, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
holes = sum(1 for h in hierarchy.reshape(-1, 4) if h[3] >= 0)
print("contours:", len(contours), "holes:", holes)

outer = [c for c, h in zip(contours, hierarchy.reshape(-1, 4)) if h[3] < 0]
for c in sorted(outer, key=lambda c: cv2.boundingRect(c)[:2]):
    x, y, w, h = cv2.boundingRect(c)
    area = cv2.contourArea(c)
    m = cv2.moments(c)
    hull = cv2.contourArea(cv2.convexHull(c))
    corners = len(cv2.approxPolyDP(c, 0.03 * cv2.arcLength(c, True), True))
    name = {3: "triangle", 4: "rectangle", 6: "L shape"}.get(corners, "round")
    print(f"{name:<10} box {x},{y},{w},{h} area {area:.0f} centre {m['m10'] / m['m00']:.1f},{m['m01'] / m['m00']:.1f} solidity {area / hull:.3f}")

n, labels, stats, _ = cv2.connectedComponentsWithStats(img)
print("components:", n - 1, "areas:", sorted(int(v) for v in np.asarray(stats).reshape(-1, 5)[1:, cv2.CC_STAT_AREA]))
big = max(outer, key=cv2.contourArea)
inside = [cv2.pointPolygonTest(big, p, False) for p in [(110, 180), (5, 5)]]
print("point tests:", inside)
