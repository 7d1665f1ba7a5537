//! `/openapi.json`, and `/docs`: the same for people, one page made once.

mod attempt;
mod markdown;
mod operation;
mod schema;
mod section;
mod snippets;

use crate::app::App;
use crate::auth::local;
use crate::config::ServerConfig;
use crate::dashboard;
use crate::openapi::codes;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use operation::Operation;
use schema::{Api, array};
use section::breakable;
use serde_json::Value;
use snippets::ORIGIN;
use std::fmt::Write as _;
use std::sync::Arc;
use utoipa::openapi::OpenApi;

/// What stands above the contents.
pub const HEAD: &str = include_str!("assets/docs-head.html");

/// The two pages of this API.
pub fn router(api: OpenApi) -> Router<Arc<App>> {
    let json = api.to_json().unwrap_or_default();
    let page = page(&serde_json::from_str(&json).unwrap_or_default());
    let headers: [(HeaderName, &str); 1] = [(header::CONTENT_SECURITY_POLICY, dashboard::POLICY)];
    let json = move || async move {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (kind, json).into_response()
    };
    let page: Arc<str> = page.into();
    let page = move |State(app): State<Arc<App>>, asked: HeaderMap| async move {
        let origin = origin(&asked, &app.config());
        (headers, Html(page.replace(ORIGIN, &origin))).into_response()
    };
    Router::new()
        .route("/openapi.json", get(json))
        .route("/docs", get(page))
}

/// Where the examples find the service: where the reader found it. What is no host's name is not repeated.
fn origin(asked: &HeaderMap, config: &ServerConfig) -> String {
    let scheme = match config.tls {
        Some(_) => "https",
        None => "http",
    };
    let host = local::named_host(asked).map(str::to_owned);
    let host = host.unwrap_or_else(|| config.listen.to_string());
    format!("{scheme}://{host}")
}

/// The page.
fn page(api: &Value) -> String {
    let mut out = HEAD.to_owned();
    let api = Api(api);
    out.push_str("<div class=page>");
    contents(&mut out, api);
    let _ = write!(
        out,
        "<main id=calls tabindex=-1><section class=lead><h1>The HTTP API</h1>{}{}</section>",
        markdown::blocks(api.0["info"]["description"].as_str().unwrap_or_default()),
        markdown::blocks(LEAD),
    );
    for tag in array(&api.0["tags"]) {
        let name = escape(tag["name"].as_str().unwrap_or_default());
        let about = tag["description"].as_str().unwrap_or_default();
        let _ = write!(
            out,
            "<h2 id='of-{name}'>{name}</h2><p class=about>{}</p>",
            markdown::line(about)
        );
        for operation in Operation::all(api).filter(|one| one.has_tag(&tag["name"])) {
            operation.section(&mut out);
        }
    }
    out.push_str("<h2 id=types>types</h2><p class=about>What bodies are made of</p>");
    for (name, schema) in api.types() {
        schema::section(&mut out, name, schema);
    }
    out.push_str(
        "<h2 id=codes>codes</h2><p class=about>Of refusals and failures</p><dl class=codes>",
    );
    for code in codes::all() {
        let _ = write!(
            out,
            "<dt id='{0}'>{1} <code>{0}</code></dt><dd>{2}</dd>",
            code.as_str(),
            code.status(),
            markdown::line(code.sentence())
        );
    }
    out.push_str("</dl></main></div></html>");
    out
}

/// What holds for every call.
const LEAD: &str = "Machine-readable: [/openapi.json](/openapi.json) (OpenAPI 3.1). A key is sent as \
    `Authorization: Bearer KEY`; the examples take it from the environment, `LLM_FIRECRACKER_KEY`. They need nothing \
    installed: Python is its own library, JavaScript is that of Node.js, Deno and Bun. What stands `LIKE_THIS` is yours to \
    fill in. `Try it` sends the call from this page, with the key above, which stays in this tab.";

fn contents(out: &mut String, api: Api<'_>) {
    out.push_str(
        "<nav class=contents aria-label=Contents><details open><summary>Contents</summary>",
    );
    for tag in array(&api.0["tags"]) {
        let name = escape(tag["name"].as_str().unwrap_or_default());
        let _ = write!(out, "<p><a href='#of-{name}'>{name}</a></p><ul>");
        for operation in Operation::all(api).filter(|one| one.has_tag(&tag["name"])) {
            let short = operation
                .path
                .strip_prefix("/api/v1")
                .unwrap_or(operation.path);
            let _ = write!(
                out,
                "<li><a href='#{}'><b class='method {}'>{}</b> <span>{}</span></a>",
                operation.id(),
                operation.method,
                operation.method.to_uppercase(),
                breakable(short)
            );
        }
        out.push_str("</ul>");
    }
    out.push_str(
        "<p><a href='#types'>types</a></p><p><a href='#codes'>codes</a></p></details></nav>",
    );
}

/// Text that stays text in HTML.
pub fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Value {
        let (_, api) = crate::app::documented().split_for_parts();
        let api = crate::openapi::complete(api);
        serde_json::from_str(&api.to_json().unwrap()).unwrap()
    }

    #[test]
    fn every_route_and_code_stands_on_the_page() {
        let json = described();
        assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
        let page = page(&json);
        let mut ids = std::collections::BTreeSet::new();
        for operation in Operation::all(Api(&json)) {
            let id = operation.id();
            assert!(
                page.contains(&format!("<section class=call id='{id}'>")),
                "{id}"
            );
            assert!(page.contains(&format!("href='#{id}'")), "{id}");
            assert!(ids.insert(id.clone()), "two of {id}");
        }
        for code in codes::all() {
            assert!(page.contains(&format!("id='{}'", code.as_str())));
        }
    }

    #[test]
    fn an_operation_has_its_own_codes_alone() {
        let json = described();
        let refusals = |id: &str| {
            let mut out = String::new();
            let operation = Operation::all(Api(&json)).find(|one| one.id() == id);
            operation.unwrap().section(&mut out);
            out
        };
        assert!(refusals("post-api-v1-execute").contains("#queue_full"));
        let healthz = refusals("get-healthz");
        for foreign in ["session_busy", "unauthorized", "disk_full"] {
            assert!(!healthz.contains(foreign), "{foreign}");
            assert!(!refusals("get-api-v1-languages").contains("session_busy"));
        }
    }

    #[test]
    fn no_markdown_is_left_and_every_body_has_an_example() {
        let json = described();
        let page = page(&json);
        let mut outside = String::new();
        for (n, piece) in page.split("<pre").enumerate() {
            let text = if n == 0 {
                piece
            } else {
                piece.split_once("</pre>").unwrap().1
            };
            outside.push_str(text);
        }
        assert!(!outside.contains('`'), "{:?}", outside.split('`').nth(1));
        for operation in Operation::all(Api(&json)) {
            if let Some(("application/json", schema)) = operation.body() {
                assert!(
                    operation.api.example(schema).is_some(),
                    "{}",
                    operation.id()
                );
            }
            for parameter in operation.parameters() {
                let shown = !parameter.example.is_empty();
                assert!(
                    shown || !parameter.required,
                    "{} {}",
                    operation.id(),
                    parameter.name
                );
            }
        }
    }

    #[test]
    fn examples_have_the_address_that_was_asked_for() {
        let config = ServerConfig::default();
        let of = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", host.parse().unwrap());
            origin(&headers, &config)
        };
        for host in ["127.0.0.1:18431", "box.example", "[::1]:9", "localhost"] {
            assert_eq!(of(host), format!("http://{host}"));
        }
        let own = format!("http://{}", config.listen);
        for host in [
            "a\"b",
            "a<b>",
            "$(id)",
            "a b",
            "u@h",
            "",
            "a:b",
            "[::1",
            &"x".repeat(300),
        ] {
            assert_eq!(of(host), own, "{host}");
        }
        assert_eq!(origin(&HeaderMap::new(), &config), own);
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}
