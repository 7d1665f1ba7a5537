//! The OpenAPI 3.1 page: what the code says of itself, completed by what is true of every route.

pub mod codes;

use crate::problem::ProblemBody;
use codes::Code;
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

/// Adds to each operation the refusals that are its own.
pub fn complete(mut api: OpenApi) -> OpenApi {
    api.info.license = None;
    for (path, item) in &mut api.paths.paths {
        let schema = match path.starts_with("/api/v2/") {
            true => ("PistonError", "application/json"),
            false => ("ProblemBody", "application/problem+json"),
        };
        for (method, operation) in [
            ("get", &mut item.get),
            ("head", &mut item.head),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ] {
            if let (Some(operation), Some(codes)) = (operation, codes::of(method, path)) {
                add(operation, codes, schema);
            }
        }
    }
    api
}

fn add(
    operation: &mut Operation,
    codes: BTreeMap<u16, Vec<Code>>,
    (schema, content_type): (&str, &str),
) {
    for (status, codes) in codes {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(schema)))
            .build();
        let named: Vec<String> = codes
            .iter()
            .map(|code| format!("`{}`", code.as_str()))
            .collect();
        let response: Response = ResponseBuilder::new()
            .description(named.join(", "))
            .content(content_type, content)
            .build();
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert(RefOr::T(response));
    }
}
