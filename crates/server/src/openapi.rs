//! The OpenAPI 3.1 page: what the code says of itself, completed by what is true of every route.

use crate::problem::{HTTP_CODES, ProblemBody};
use protocol::error_code::ERROR_CODES;
use std::collections::BTreeMap;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "LLM-Firecracker",
        description = "Runs code that nobody has read in a microVM of its own.\n\nEvery refusal is a problem (RFC 9457) with a stable `code`.",
    ),
    components(schemas(ProblemBody, crate::piston::PistonError)),
    modifiers(&Keys),
    security(("key" = [])),
    tags(
        (name = "jobs", description = "One program, one VM, one answer"),
        (name = "sessions", description = "A VM that stays between programs"),
        (name = "sandboxes", description = "A VM that stays, with any number of processes and its files"),
        (name = "piston", description = "Piston's API, for its clients"),
        (name = "lists", description = "What there is"),
        (name = "operation", description = "For whoever runs the service"),
    ),
)]
struct Base;

/// How a caller says who it is.
struct Keys;

impl Modify for Keys {
    fn modify(&self, api: &mut OpenApi) {
        let components = api.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("key", scheme);
    }
}

/// What does not come from single routes.
pub fn base() -> OpenApi {
    Base::openapi()
}

/// Which refusals a route may answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Open to everybody.
    Open,
    /// Reads something.
    Read,
    /// Takes a body or changes something.
    Write,
    /// Asks a sandbox for something.
    Sandbox,
}

impl Kind {
    fn statuses(self) -> &'static [u16] {
        match self {
            Kind::Open => &[500],
            Kind::Read => &[400, 401, 403, 404, 429, 500, 503],
            Kind::Write => &[400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503],
            Kind::Sandbox => &[
                400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503, 507,
            ],
        }
    }
}

/// Adds to each route the refusals that it shares with its kind.
pub fn complete(mut api: OpenApi) -> OpenApi {
    api.info.license = None;
    for (path, item) in &mut api.paths.paths {
        let schema = match path.starts_with("/api/v2/") {
            true => ("PistonError", "application/json"),
            false => ("ProblemBody", "application/problem+json"),
        };
        let reads = [&mut item.get, &mut item.head]
            .into_iter()
            .map(|op| (op, Kind::Read));
        let writes = [
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ]
        .into_iter()
        .map(|op| (op, Kind::Write));
        let in_sandbox = path.starts_with("/api/v1/sandboxes/");
        let open = path == "/healthz" || path == "/readyz";
        for (operation, kind) in reads.chain(writes) {
            if let Some(operation) = operation {
                let kind = match kind {
                    _ if open => Kind::Open,
                    _ if in_sandbox => Kind::Sandbox,
                    kind => kind,
                };
                add(operation, kind, schema);
            }
        }
    }
    api
}

fn add(operation: &mut Operation, kind: Kind, (schema, content_type): (&str, &str)) {
    for status in kind.statuses() {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(schema)))
            .build();
        let response: Response = ResponseBuilder::new()
            .description(codes_of(*status))
            .content(content_type, content)
            .build();
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert(RefOr::T(response));
    }
}

/// The codes that go with a status, as a sentence.
fn codes_of(status: u16) -> String {
    all_codes()
        .into_iter()
        .filter(|(_, own, _)| *own == status)
        .map(|(code, ..)| format!("`{code}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Every code with its status and what to do, sorted by code.
pub fn all_codes() -> Vec<(&'static str, u16, &'static str)> {
    let http = HTTP_CODES
        .iter()
        .map(|code| (code.as_str(), (code.status(), code.sentence())));
    let jobs = ERROR_CODES
        .iter()
        .map(|code| (code.as_str(), (code.http_status(), code.advice())));
    let sorted: BTreeMap<_, _> = http.chain(jobs).collect();
    sorted
        .into_iter()
        .map(|(code, (status, sentence))| (code, status, sentence))
        .collect()
}
