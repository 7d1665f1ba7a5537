"""E2B's code interpreter by E2B's own client, against a live service: what its public tests of the same names look at.

The service is found by `E2B_API_URL`, `E2B_SANDBOX_URL` and `E2B_API_KEY`. A test whose image is not there says so.
"""

import os
import uuid

import pytest
from e2b_code_interpreter import Sandbox

# Images that the service has, of which one file or another needs more than the usual.
IMAGES = set(os.environ.get("LLM_FIRECRACKER_IMAGES", "").split())
# What a client gets that names no template: data science; Python, JavaScript, TypeScript and bash.
USUAL = "code-interpreter-v1"
# The same languages, with the tools of agents.
BASE = "base"


def needs(image):
    if image not in IMAGES:
        pytest.skip(f"not run: the image {image} is not there")


@pytest.fixture(scope="module")
def create():
    """Makes sandboxes that end with the file that asked for them."""
    made = []

    def make(template=USUAL, **more):
        needs({USUAL: "python-data", BASE: "agent"}.get(template, template))
        more.setdefault("timeout", 240)
        made.append(Sandbox.create(template, **more))
        return made[-1]

    yield make
    for sandbox in made:
        sandbox.kill()


@pytest.fixture
def sandbox(create):
    """A new one."""
    sandbox = create()
    yield sandbox
    sandbox.kill()


@pytest.fixture(scope="module")
def shared(create):
    """One for all tests of a file, which leave nothing behind that another minds."""
    return create()


@pytest.fixture
def run(shared):
    """Runs a cell in a context of its own."""
    contexts = []

    def carry_out(code, **more):
        contexts.append(shared.create_code_context())
        return shared.run_code(code, context=contexts[-1], **more)

    yield carry_out
    for context in contexts:
        shared.remove_code_context(context)


@pytest.fixture(scope="module", params=[USUAL, BASE])
def each(request, create):
    """One of each image that has the languages that E2B's own template begins with."""
    return create(request.param)


@pytest.fixture
def name():
    return f"v{uuid.uuid4().hex}"
