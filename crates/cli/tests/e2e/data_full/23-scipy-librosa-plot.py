"""A spectrogram drawn by librosa on matplotlib."""
import io

import librosa
import librosa.display
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

rate = 8000
sweep = librosa.chirp(fmin=110, fmax=1760, sr=rate, duration=2.0)
decibels = librosa.amplitude_to_db(np.abs(librosa.stft(sweep, n_fft=512)), ref=np.max)
figure, axes = plt.subplots(figsize=(4, 3))
shown = librosa.display.specshow(decibels, sr=rate, x_axis="time", y_axis="log", ax=axes)
figure.colorbar(shown, ax=axes, format="%+2.0f dB")
memory = io.BytesIO()
figure.savefig(memory, format="png", dpi=80)
print(decibels.shape, Image.open(memory).size, axes.get_xlabel(), axes.get_ylabel())
