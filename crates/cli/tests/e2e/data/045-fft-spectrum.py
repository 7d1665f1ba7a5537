"""Find the tones of a noisy signal with the FFT, and check Parseval and convolution."""
import numpy as np
from scipy import fft, signal

fs, n = 1000, 2000
t = np.arange(n) / fs
clean = 1.0 * np.sin(2 * np.pi * 50 * t) + 0.5 * np.sin(2 * np.pi * 120 * t + 0.4) + 0.25 * np.cos(2 * np.pi * 333 * t)
x = clean + np.random.default_rng(45).normal(0, 0.3, n)

spectrum = fft.rfft(x)
freq = fft.rfftfreq(n, 1 / fs)
amp = 2 * np.abs(spectrum) / n
for k in sorted(np.argsort(amp)[-3:]):
    print(f"{freq[k]:6.1f} Hz amplitude {amp[k]:.3f}")
print("parseval:", np.isclose(np.sum(x**2), (np.abs(spectrum[0]) ** 2 + 2 * np.sum(np.abs(spectrum[1:-1]) ** 2) + np.abs(spectrum[-1]) ** 2) / n))

keep = np.where(amp > 0.15, spectrum, 0)
restored = fft.irfft(keep, n)
print(f"noise before {np.std(x - clean):.3f} after {np.std(restored - clean):.3f}")

f, psd = signal.welch(x, fs, nperseg=500)
print("welch peak:", float(f[np.argmax(psd)]), "Hz, bins", f.size)
a, b = np.arange(1, 6), np.array([2, 0, -1])
full = np.round(fft.irfft(fft.rfft(a, 8) * fft.rfft(b, 8), 8))[:7].astype(int)
print("convolution:", full.tolist(), np.array_equal(full, np.convolve(a, b)))

image = np.zeros((16, 16))
image[4:8, 2:12] = 1
moved = np.roll(image, (3, 2), axis=(0, 1))
cross = fft.ifft2(np.conj(fft.fft2(image)) * fft.fft2(moved)).real
print("shift found:", [int(v) for v in np.unravel_index(np.argmax(np.round(cross, 6)), cross.shape)])
print("dct energy in 3 terms:", round(float(np.sum(fft.dct(np.linspace(0, 1, 32), norm="ortho")[:3] ** 2) / np.sum(np.linspace(0, 1, 32) ** 2)), 4))
