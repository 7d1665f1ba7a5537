"""Edges, lines, filters, histograms and colour segmentation with OpenCV."""
import cv2
import numpy as np

img = np.full((200, 240, 3), (60, 60, 60), np.uint8)
cv2.rectangle(img, (30, 40), (110, 160), (40, 40, 250), -1)
cv2.rectangle(img, (130, 40), (210, 160), (0, 200, 0), -1)
grey = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY)
print("greys:", sorted(int(v) for v in np.unique(grey)))

edges = cv2.Canny(grey, 30, 80)
cols = np.flatnonzero((edges[60:140] > 0).mean(axis=0) > 0.9)
print("vertical edges near:", sorted({int(round(c / 10.0) * 10) for c in cols}))
sobel = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
print("sobel sign left/right:", int(np.sign(sobel[100, 30])), int(np.sign(sobel[100, 110])), "lap zero inside:", int(np.abs(cv2.Laplacian(grey, cv2.CV_16S)[90:110, 60:80]).max()))
lines = cv2.HoughLinesP(edges, 1, np.pi / 180, 60, minLineLength=60, maxLineGap=5)
angles = {int(round(np.degrees(np.arctan2(abs(y2 - y1), abs(x2 - x1))))) for x1, y1, x2, y2 in np.asarray(lines).reshape(-1, 4).tolist()}
print("at least 4 lines:", np.asarray(lines).reshape(-1, 4).shape[0] >= 4, "angles:", sorted(angles))

hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
red = cv2.inRange(hsv, np.array([0, 120, 80]), np.array([10, 255, 255]))
green = cv2.inRange(hsv, np.array([50, 120, 80]), np.array([70, 255, 255]))
print("red px:", cv2.countNonZero(red), "green px:", cv2.countNonZero(green), "overlap:", cv2.countNonZero(cv2.bitwise_and(red, green)))
hist = np.asarray(cv2.calcHist([grey], [0], None, [8], [0, 256])).ravel().astype(int)
print("histogram:", hist.tolist(), "sum:", int(hist.sum()))

ramp = np.tile(np.arange(100, 150, dtype=np.uint8), (20, 1))
eq = cv2.equalizeHist(ramp)
print("equalised:", int(eq.min()), int(eq.max()), "gauss sum:", round(float(cv2.getGaussianKernel(5, 1.0).sum()), 6))
box = cv2.blur(np.eye(5, dtype=np.float32) * 9, (3, 3), borderType=cv2.BORDER_CONSTANT)
print("box filter:", np.asarray(box).round(2)[2].tolist(), "| sharpen:", cv2.filter2D(np.float32([[1, 2, 3]] * 3), -1, np.float32([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]))[1].tolist())
ok, png = cv2.imencode(".png", img)
print("png round trip:", ok, np.array_equal(cv2.imdecode(png, cv2.IMREAD_COLOR), img))
