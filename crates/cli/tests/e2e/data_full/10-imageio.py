"""PNG, animated GIF and TIFF written and read with imageio."""
import imageio.v3 as iio
import numpy as np

gradient = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (32, 1))
picture = np.dstack([gradient, gradient[:, ::-1], np.full_like(gradient, 128)])
iio.imwrite("a.png", picture)
print(iio.imread("a.png").shape, np.array_equal(iio.imread("a.png"), picture), iio.improps("a.png").dtype)
frames = np.stack([np.roll(picture, 8 * n, axis=1) for n in range(4)])
iio.imwrite("a.gif", frames, duration=100, loop=0)
print(iio.imread("a.gif").shape, iio.immeta("a.gif")["duration"])
iio.imwrite("a.tiff", gradient.astype(np.uint16) * 257)
print(iio.imread("a.tiff").dtype, int(iio.imread("a.tiff").max()))
