"""A stack of pictures in a TIFF with metadata by tifffile, its digest by pooch."""
import numpy as np
import pooch
import tifffile

stack = np.arange(3 * 16 * 16, dtype=np.uint16).reshape(3, 16, 16)
tifffile.imwrite("stack.tif", stack, imagej=True, metadata={"axes": "ZYX", "unit": "um"})
with tifffile.TiffFile("stack.tif") as file:
    print(len(file.pages), file.series[0].axes, file.imagej_metadata["unit"], np.array_equal(file.asarray(), stack))
with open("text", "w") as file:
    file.write("text")
print(pooch.file_hash("text")[:16])
