"""Filter a pulse signal (Butterworth, median, Savitzky-Golay) and count heart beats."""
import numpy as np
from scipy import signal

fs = 200
t = np.arange(0, 12, 1 / fs)
beats = np.arange(0.5, 12, 0.82)
pulse = sum(np.exp(-((t - b) ** 2) / (2 * 0.02**2)) for b in beats)
drift = 0.8 * np.sin(2 * np.pi * 0.15 * t)
hum = 0.4 * np.sin(2 * np.pi * 50 * t)
x = pulse + drift + hum + np.random.default_rng(46).normal(0, 0.05, t.size)

sos = signal.butter(4, [0.7, 20], btype="bandpass", fs=fs, output="sos")
y = signal.sosfiltfilt(sos, x)
peaks, props = signal.find_peaks(y, height=0.35, distance=int(0.4 * fs))
intervals = np.diff(peaks) / fs
print("beats:", len(peaks), "of", len(beats), f"rate {60 / intervals.mean():.2f} per minute, sd {intervals.std():.4f} s")
print("first peaks (s):", (peaks[:4] / fs).round(2).tolist(), "lowest height above 0.4:", bool(props["peak_heights"].min() > 0.4))

w, h = signal.sosfreqz(sos, worN=[0.15, 1.0, 50.0], fs=fs)
print("gain in dB:", {float(f): round(float(20 * np.log10(abs(g))), 1) for f, g in zip(w, h)})
b, a = signal.iirnotch(50, 30, fs=fs)
notched = signal.filtfilt(b, a, x)
spec = lambda v: np.abs(np.fft.rfft(v))[int(50 * t.size / fs)]
print("hum reduced more than 10 times:", bool(spec(notched) < spec(x) / 10))

spiky = np.array([1, 1, 9, 1, 2, 2, 2, -7, 2, 3], dtype=float)
print("median:", signal.medfilt(spiky, 3).tolist())
line = signal.savgol_filter(np.arange(9.0) ** 2, 5, 2)
print("savgol keeps a parabola:", np.allclose(line, np.arange(9.0) ** 2))
taps = signal.firwin(11, 0.3)
print("fir taps symmetric:", np.allclose(taps, taps[::-1]), f"sum {taps.sum():.4f}", "resampled:", signal.resample_poly(np.ones(20), 3, 2).size)
