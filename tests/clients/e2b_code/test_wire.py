"""The wire itself, where the client hides it: each line, each refusal."""

import json

import httpx
import pytest

PORT = "49999"


@pytest.fixture(scope="module")
def ask(shared):
    url = shared._jupyter_url
    headers = {"E2b-Sandbox-Id": shared.sandbox_id, "E2b-Sandbox-Port": PORT}
    if shared.traffic_access_token:
        headers["E2B-Traffic-Access-Token"] = shared.traffic_access_token

    def request(method, path, **more):
        return httpx.request(method, url + path, headers=headers | more.pop("headers", {}), timeout=60, **more)

    return request


def test_lines_are_ascii_and_none_is_blank(ask):
    answer = ask("POST", "/execute", json={"code": "print('ü\\u2028🙂')\n{'ä': '\\n\\u2029'}"})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/x-ndjson"
    assert all(byte in range(0x20, 0x7f) or byte == 0x0a for byte in answer.content)
    lines = answer.content.split(b"\n")
    assert lines.pop() == b"" and all(lines)
    types = [json.loads(line)["type"] for line in lines]
    assert types == ["number_of_executions", "stdout", "result", "end_of_execution"]


def test_a_silent_cell_says_that_it_lives(ask):
    answer = ask("POST", "/execute", json={"code": "import time; time.sleep(6)"})
    types = [json.loads(line)["type"] for line in answer.content.splitlines()]
    assert types == ["number_of_executions", "keepalive", "end_of_execution"]


@pytest.mark.parametrize("body, status, words", [
    ({"code": "1", "context_id": "1", "language": "python"}, 400, "only one"),
    ({"code": "1", "language": "cobol"}, 400, "it has"),
    ({"code": "1", "context_id": "9999"}, 404, "not found"),
    ({"code": "1", "context_id": "../1"}, 404, "not found"),
    ({"code": 1}, 400, "string"),
    ({}, 400, "code"),
    ([], 400, "object"),
    ({"code": "1", "env_vars": {"A=B": "c"}}, 400, "use names of"),
    ({"code": "1", "env_vars": {"A": "b\0"}}, 400, "without NUL"),
])
def test_refusals_say_why(ask, body, status, words):
    answer = ask("POST", "/execute", json=body)
    assert answer.status_code == status and words in answer.text, answer.text
    assert answer.json()["code"] == status and words in answer.json()["message"]


def test_newer_fields_are_passed_over(ask):
    answer = ask("POST", "/execute", json={"code": "7", "new_field": {"a": 1}})
    assert answer.status_code == 200 and '"text":"7"' in answer.text


def test_a_sandbox_that_is_not_there(ask):
    for headers in [{"E2b-Sandbox-Id": "0193a5c2-7d1e-7c3a-9f00-0123456789ab"}, {"E2b-Sandbox-Id": "x"}]:
        answer = ask("GET", "/contexts", headers=headers)
        assert answer.status_code == 502 and "was not found" in answer.json()["message"]


def test_a_token_that_is_wrong(ask):
    answer = ask("GET", "/contexts", headers={"E2B-Traffic-Access-Token": "0" * 64})
    assert answer.status_code == 401
