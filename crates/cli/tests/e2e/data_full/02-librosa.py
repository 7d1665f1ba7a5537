"""A tone's spectrum, pitch and beats with librosa."""
import librosa
import numpy as np

rate = 22_050
tone = librosa.tone(440.0, sr=rate, duration=1.0)
spectrum = np.abs(librosa.stft(tone, n_fft=2048))
loudest = librosa.fft_frequencies(sr=rate, n_fft=2048)[spectrum.mean(axis=1).argmax()]
print(spectrum.shape, round(float(loudest), 1))
mfcc = librosa.feature.mfcc(y=tone, sr=rate, n_mfcc=13)
print("mfcc", mfcc.shape, bool(np.isfinite(mfcc).all()))
pitch = librosa.yin(tone, fmin=110, fmax=1760, sr=rate)
print("pitch", round(float(np.median(pitch))), librosa.hz_to_note(440.0))
clicks = librosa.clicks(times=np.arange(0, 8, 0.5), sr=rate, length=8 * rate)
tempo, beats = librosa.beat.beat_track(y=clicks, sr=rate)
print("tempo near 120:", abs(float(np.atleast_1d(tempo)[0]) - 120) < 5, "beats:", len(beats) > 10)
print(librosa.resample(tone, orig_sr=rate, target_sr=11_025).shape)
