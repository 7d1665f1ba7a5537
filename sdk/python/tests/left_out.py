"""What the API has and this package does not, each with its reason. `test_openapi.py` keeps it complete and true."""

from __future__ import annotations

_PISTON = "Piston's API is for clients that exist already"
_SESSIONS = "contexts of sandboxes do the same and more"
_COMMON = "for who reads the JSON of jobs, sessions and cells alike: the models have the same under other names"
_EGRESS = "being built: not before sandboxes have it, too"
_OPERATOR = "for operators: the command line and the dashboard show it"

#: Method and path.
ROUTES = {
    "GET /api/v1/doctor": _OPERATOR,
    "GET /api/v1/events": _OPERATOR,
    "GET /api/v1/history": _OPERATOR,
    "GET /api/v1/jobs": _OPERATOR,
    "GET /api/v1/jobs/{id}": _OPERATOR,
    "GET /api/v1/jobs/{id}/artifacts/{name}": _OPERATOR,
    "GET /api/v1/usage": _OPERATOR,
    "GET /api/v1/whoami": _OPERATOR,
    "GET /api/v1/snapshots": _OPERATOR,
    "GET /api/v1/status": _OPERATOR,
    "GET /metrics": _OPERATOR,
    "GET /healthz": "readiness says more",
    "POST /api/v2/execute": _PISTON,
    "GET /api/v2/runtimes": _PISTON,
    "GET /api/v1/sessions": _SESSIONS,
    "POST /api/v1/sessions": _SESSIONS,
    "GET /api/v1/sessions/{id}": _SESSIONS,
    "PATCH /api/v1/sessions/{id}": _SESSIONS,
    "DELETE /api/v1/sessions/{id}": _SESSIONS,
    "POST /api/v1/sessions/{id}/execute": _SESSIONS,
    "GET /api/v1/sessions/{id}/files": _SESSIONS,
    "POST /api/v1/sessions/{id}/files": _SESSIONS,
    "PUT /api/v1/sessions/{id}/files": _SESSIONS,
    "DELETE /api/v1/sessions/{id}/files": _SESSIONS,
    "GET /api/v1/sessions/{id}/files/content": _SESSIONS,
    "POST /api/v1/sessions/{id}/interrupt": _SESSIONS,
    "GET /api/v1/sandboxes/{id}/processes/{process}/terminal": (
        "a WebSocket: output, stdin and resize do the same over plain HTTP"
    ),
}

#: Schema.
SCHEMAS = {
    **dict.fromkeys(["PistonError", "PistonFile", "PistonRequest", "PistonResponse", "RuntimeBody", "Stage"], _PISTON),
    **dict.fromkeys(
        ["CellError", "CellRequest", "CellResponse", "FileBody", "FileUpload", "SessionBody", "SessionRequest"], _SESSIONS
    ),
    **dict.fromkeys(
        ["Health", "JobRow", "Latency", "PoolRow", "SandboxRow", "SnapshotBody", "StatusBody"], _OPERATOR
    ),
    **dict.fromkeys(["JobArtifact", "JobDetail", "HistoryBody", "Point", "LimitsBody", "WhoamiBody"], _OPERATOR),
    **dict.fromkeys(["DayUsage", "KeyUsage", "UsageReport", "UsageRow"], _OPERATOR),
    **dict.fromkeys(["CommonBody", "ErrorInfoBody"], _COMMON),
    **dict.fromkeys(["DeniedBody", "EgressBody"], _EGRESS),
    "EventBody": "server-sent events are read as such; their data is the other schemas'",
    "ProblemBody": "raised as `ProblemError`",
    "Told": "a union of others: `ProcessEvent`",
    "What": "a union of others: `CellEvent`",
    "BTreeMap": "a map of texts",
    "u32": "a number",
    **dict.fromkeys(["Limit", "OnDisconnect", "StdinRequest", "To", "UserBody"], "words: a `Literal` where they are used"),
}

#: Schema and field.
FIELDS = {
    "LanguageBody.aliases": _PISTON,
    "ExecuteRequest.lang": "the same as `language`",
    "ExecuteResponse.error_info": _COMMON,
    "ExecuteResponse.shown": _COMMON,
    "ExecuteRequest.egress": _EGRESS,
    "ExecuteResponse.egress": _EGRESS,
    "ExecuteCellBody.trace_id": _COMMON,
}
