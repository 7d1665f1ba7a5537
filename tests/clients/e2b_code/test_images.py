"""Pictures of PIL's: shown, as a value, saved."""

PICTURE = """
import numpy
from PIL import Image
image = Image.fromarray((numpy.random.rand(16, 16, 3) * 255).astype('uint8')).convert('RGBA')
"""


def test_shown(run):
    execution = run(PICTURE + "image.show()\nprint('shown')")
    assert execution.results[0].png and execution.logs.stdout == ["shown\n"]


def test_as_the_value(run):
    execution = run(PICTURE + "image")
    assert execution.results[0].png and execution.results[0].is_main_result


def test_saved(run):
    execution = run(PICTURE + "image.save('/tmp/test.png')\nprint('saved')")
    assert execution.results[0].png and execution.logs.stdout == ["saved\n"]
