"""Contexts: made, listed, restarted, removed; each has its own variables."""

import pytest
from e2b import NotFoundException, SandboxException


@pytest.fixture(params=["plain", "secure"])
def guarded(request, create):
    """A sandbox whose client sends no token to it, and one whose client has to."""
    options = {"secure": True, "network": {"allow_public_traffic": False}} if request.param == "secure" else {"secure": False}
    sandbox = create(**options)
    yield sandbox
    sandbox.kill()


def test_create_with_no_options(guarded):
    context = guarded.create_code_context()
    last = guarded.list_code_contexts()[-1]
    assert (last.id, last.language, last.cwd) == (context.id, "python", context.cwd)


def test_create_with_options(guarded):
    context = guarded.create_code_context(language="python", cwd="/tmp")
    last = guarded.list_code_contexts()[-1]
    assert (last.id, last.language, last.cwd) == (context.id, "python", "/tmp")
    assert guarded.run_code("import os; os.getcwd()", context=context).text == "/tmp"


def test_remove(guarded):
    by_object, by_id = guarded.create_code_context(), guarded.create_code_context()
    guarded.remove_code_context(by_object)
    guarded.remove_code_context(by_id.id)
    left = [context.id for context in guarded.list_code_contexts()]
    assert by_object.id not in left and by_id.id not in left


def test_those_of_the_start_are_listed(each):
    languages = [context.language for context in each.list_code_contexts()]
    assert "python" in languages and "javascript" in languages


def test_restart(guarded):
    context = guarded.create_code_context()
    guarded.run_code("x = 1", context=context)
    guarded.restart_code_context(context.id)
    execution = guarded.run_code("x", context=context)
    assert (execution.error.name, execution.error.value) == ("NameError", "name 'x' is not defined")


def test_each_has_its_own_variables(shared, name):
    context = shared.create_code_context()
    shared.run_code(f"{name} = 1")
    assert shared.run_code(name, context=context).error.value == f"name '{name}' is not defined"
    shared.remove_code_context(context)


def test_one_that_is_not_there(shared):
    for act in [shared.remove_code_context, shared.restart_code_context]:
        for context in ["77", "default", "x" * 500]:
            with pytest.raises(NotFoundException):
                act(context)


def test_a_folder_that_is_not_there_is_told_with_the_first_cell(shared):
    context = shared.create_code_context(cwd="/no/such/folder")
    error = shared.run_code("1", context=context).error
    assert error.name == "ContextNotStarted" and "No such file" in error.value
    shared.remove_code_context(context)


def test_a_language_that_the_image_has_not(shared):
    for language in ["java", "cobol", "go"]:
        with pytest.raises(SandboxException, match="400.*it has .*python"):
            shared.create_code_context(language=language)
        with pytest.raises(SandboxException, match="400.*it has .*python"):
            shared.run_code("1", language=language)
