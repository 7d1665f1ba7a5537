"""Geometry with OpenCV: affine and perspective warps, template search, pyramids."""
import cv2
import numpy as np

rng = np.random.default_rng(75)
page = np.full((200, 300), 255, np.uint8)
for row in range(8):
    cv2.rectangle(page, (20, 15 + row * 22), (20 + int(rng.integers(100, 250)), 24 + row * 22), 0, -1)
cv2.circle(page, (270, 170), 18, 90, -1)

corners = np.float32([[0, 0], [299, 0], [299, 199], [0, 199]])
photo_at = np.float32([[40, 30], [330, 55], [310, 260], [60, 240]])
H = cv2.getPerspectiveTransform(corners, photo_at)
photo = cv2.warpPerspective(page, H, (380, 300), borderValue=128)
flat = cv2.warpPerspective(photo, np.linalg.inv(H), (300, 200))
error = np.abs(flat[5:-5, 5:-5].astype(int) - page[5:-5, 5:-5]).mean()
print("photo:", photo.shape, "restored with mean error below 12:", bool(error < 12))
point = cv2.perspectiveTransform(np.float32([[[150, 100]]]), H).ravel()
print("page centre lands at:", [round(float(v), 2) for v in point])

M = cv2.getRotationMatrix2D((150, 100), 90, 1.0)
turned = cv2.warpAffine(page, M, (300, 200))
print("rotation matrix:", (M.round(3) + 0.0).tolist(), "shape:", turned.shape)
print("flip codes:", [int(cv2.flip(np.array([[1, 2], [3, 4]], np.uint8), c)[0, 0]) for c in (-1, 0, 1)])

patch = page[145:195, 245:295]
score = cv2.matchTemplate(page, patch, cv2.TM_CCOEFF_NORMED)
_, best, _, where = cv2.minMaxLoc(score)
print("template at", tuple(int(v) for v in where), f"score {best:.3f}")

small = cv2.resize(page, (150, 100), interpolation=cv2.INTER_AREA)
up = cv2.resize(np.array([[0, 100], [200, 40]], np.uint8), (4, 4), interpolation=cv2.INTER_NEAREST)
print("area mean kept:", bool(abs(small.mean() - page.mean()) < 0.5), "nearest:", up.tolist())
pyr = cv2.pyrDown(page)
print("pyramid:", pyr.shape, cv2.pyrUp(pyr).shape, "padded:", cv2.copyMakeBorder(pyr, 1, 2, 3, 4, cv2.BORDER_CONSTANT).shape)
