"""Sandboxes as a whole: made, listed, given time, connected to, ended."""

import datetime
import inspect
import os
import time
import uuid

import pytest
from e2b import Sandbox

try:
    from e2b import NotFoundException, SandboxQuery, SandboxState
except ImportError:
    pytest.skip("this version of the client lists sandboxes in another way", allow_module_level=True)

# What pauses do where they are is in tests/clients/e2b_pause.
PAUSES = pytest.mark.skipif(os.environ.get("LLM_FIRECRACKER_ENGINE", "uml") != "uml", reason="this engine saves VMs")
NEWEST = "order" in inspect.signature(Sandbox.list).parameters


def listed(limit=None, **query):
    options = {"limit": limit} if limit else {}
    paginator = Sandbox.list(query=SandboxQuery(**query), **options)
    found = []
    while paginator.has_next:
        found.extend(paginator.next_items())
    return found


def test_it_is_there_and_says_so(new):
    one = new(timeout=30)
    assert one.is_running()
    info = one.get_info()
    assert (info.sandbox_id, info.template_id, info.state) == (one.sandbox_id, "base", SandboxState.RUNNING)
    assert info.cpu_count >= 1 and info.memory_mb >= 128
    assert isinstance(info.end_at, datetime.datetime)
    left = (info.end_at - info.started_at).total_seconds()
    assert 29 <= left <= 31


def test_metadata_is_kept_and_found_by(new):
    mark = str(uuid.uuid4())
    one = new(metadata={"mark": mark, "a b&c": "ü=%"})
    other = new(metadata={"mark": "another"})
    found = listed(metadata={"mark": mark, "a b&c": "ü=%"})
    assert [info.sandbox_id for info in found] == [one.sandbox_id]
    assert found[0].metadata == {"mark": mark, "a b&c": "ü=%"}
    assert other.sandbox_id in [info.sandbox_id for info in listed()]


def test_lists_come_in_pages_the_newest_first(new):
    mark = {"mark": str(uuid.uuid4())}
    first, second = new(metadata=mark), new(metadata=mark)
    paginator = Sandbox.list(query=SandboxQuery(metadata=mark, state=[SandboxState.RUNNING]), limit=1)
    assert [info.sandbox_id for info in paginator.next_items()] == [second.sandbox_id]
    assert paginator.has_next and paginator.next_token
    assert [info.sandbox_id for info in paginator.next_items()] == [first.sandbox_id]
    assert not paginator.has_next and not paginator.next_token
    assert listed(metadata=mark, state=[SandboxState.PAUSED]) == []


@pytest.mark.skipif(not NEWEST, reason="this version of the client cannot")
def test_lists_are_ordered_and_filtered(new):
    mark = {"mark": str(uuid.uuid4())}
    first, second = new(metadata=mark), new(metadata=mark)
    for order, expected in [("asc", [first, second]), ("desc", [second, first])]:
        page = Sandbox.list(query=SandboxQuery(metadata=mark), order=order).next_items()
        assert [info.sandbox_id for info in page] == [one.sandbox_id for one in expected]
    started = first.get_info().started_at
    both = listed(metadata=mark, started_after=started)
    assert len(both) == 2
    assert listed(metadata=mark, started_after=started + datetime.timedelta(seconds=60)) == []
    assert len(listed(metadata=mark, template="base")) == 2
    assert listed(metadata=mark, template="another") == []


@pytest.mark.parametrize("end", [lambda one: Sandbox.kill(one.sandbox_id), lambda one: one.kill()])
def test_it_ends_when_it_is_told_to(new, end):
    one = new(timeout=60)
    assert end(one)
    assert not one.is_running()
    assert not Sandbox.kill(one.sandbox_id)
    assert one.sandbox_id not in [info.sandbox_id for info in listed()]
    with pytest.raises(Exception, match="not found"):
        Sandbox.get_info(one.sandbox_id)


def test_one_that_never_was(new):
    assert not Sandbox.kill("nonexistingsandbox")
    with pytest.raises(NotFoundException):
        Sandbox.connect("nonexistingsandbox")


def test_its_time_is_shortened(new):
    one = new(timeout=60)
    one.set_timeout(2)
    time.sleep(4)
    assert not one.is_running()


def test_its_time_is_lengthened(new):
    one = new(timeout=60)
    one.set_timeout(3)
    one.set_timeout(20)
    time.sleep(5)
    assert one.is_running()


def test_connecting_gives_more_time_and_never_less(new):
    one = new(timeout=100)
    before = one.get_info().end_at
    again = Sandbox.connect(one.sandbox_id, timeout=10)
    assert again.is_running()
    assert one.get_info().end_at == before
    Sandbox.connect(one.sandbox_id, timeout=300)
    assert one.get_info().end_at > before


def test_what_is_in_it_is_there_for_who_connects(new):
    one = new(timeout=60, secure=True)
    one.files.write("kept.txt", "kept")
    again = Sandbox.connect(one.sandbox_id)
    assert again.files.read("kept.txt") == "kept"
    assert again.commands.run("cat kept.txt").stdout == "kept"


def test_metrics_are_of_now(new):
    one = new(timeout=60)
    if not hasattr(one, "get_metrics"):
        pytest.skip("this version of the client cannot")
    metric = one.get_metrics()[0]
    assert metric.cpu_count >= 1 and 0 <= metric.cpu_used_pct <= 100
    assert 0 < metric.mem_used < metric.mem_total
    assert 0 <= metric.disk_used <= metric.disk_total
    old = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    assert one.get_metrics(start=old, end=old + datetime.timedelta(minutes=30)) == []


@pytest.mark.parametrize("template", ["no-such-template", "../x", "ü"])
def test_a_template_that_is_not_there_is_said_so(template):
    with pytest.raises(Exception, match="not found"):
        Sandbox.create(template)


def test_a_time_beyond_all_bounds_is_refused():
    with pytest.raises(Exception, match="timeout"):
        Sandbox.create("base", timeout=10**9)


@pytest.mark.skipif(not NEWEST, reason="this version of the client cannot")
@pytest.mark.parametrize(
    "options, named",
    [
        ({"network": {"deny_out": ["0.0.0.0/0"]}}, "network"),
        pytest.param({"lifecycle": {"on_timeout": "pause"}}, "autoPause", marks=PAUSES),
        ({"volume_mounts": {"/mnt": "data"}}, "volumeMounts"),
    ],
)
def test_what_is_not_honoured_is_refused_by_its_name(options, named):
    with pytest.raises(Exception, match=named):
        Sandbox.create("base", **options)


@PAUSES
def test_what_cannot_be_paused_says_why(new):
    one = new(timeout=30)
    pause = getattr(one, "pause", None) or getattr(one, "beta_pause", None)
    if pause is None:
        pytest.skip("this version of the client cannot")
    with pytest.raises(Exception, match="cannot be paused"):
        pause()


def test_asked_again_with_its_key_it_is_the_same(new):
    if "idempotency_key" not in inspect.signature(Sandbox.create).parameters:
        pytest.skip("this version of the client cannot")
    key = str(uuid.uuid4())
    first, second = new(idempotency_key=key), new(idempotency_key=key)
    assert first.sandbox_id == second.sandbox_id
    with pytest.raises(Exception, match="Idempotency"):
        new(idempotency_key=key, timeout=17)
