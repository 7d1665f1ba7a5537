//! `/openapi.json`, and `/docs`: the same for people, one page made once, without a script.

use crate::app::App;
use crate::openapi::all_codes;
use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;
use utoipa::openapi::OpenApi;

const STYLE: &str = include_str!("assets/docs.css");

/// Only the page's own style sheet; nothing is loaded, nothing runs.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The two pages of this API.
pub fn router(api: OpenApi) -> Router<Arc<App>> {
    let json = api.to_json().unwrap_or_default();
    let page = page(&serde_json::from_str(&json).unwrap_or_default());
    let typed = |content_type: &'static str, body: String| {
        get(move || async move { ([(header::CONTENT_TYPE, content_type)], body).into_response() })
    };
    let headers: [(HeaderName, &str); 1] = [(header::CONTENT_SECURITY_POLICY, POLICY)];
    Router::new()
        .route("/openapi.json", typed("application/json", json))
        .route(
            "/docs.css",
            typed("text/css; charset=utf-8", STYLE.to_owned()),
        )
        .route(
            "/docs",
            get(move || async move { (headers, Html(page)).into_response() }),
        )
}

/// The page.
fn page(api: &Value) -> String {
    let mut out = String::new();
    let title = text(&api["info"]["title"]);
    let _ = write!(
        out,
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content='width=device-width'><title>{title}: API</title>\
         <link rel=stylesheet href=/docs.css><main><h1>{title}</h1><p>{}</p>\
         <p>Machine-readable: <a href=/openapi.json>/openapi.json</a> (OpenAPI {}). \
         Send a key as <code>Authorization: Bearer KEY</code>.</p>",
        text(&api["info"]["description"]),
        text(&api["openapi"]),
    );
    for tag in array(&api["tags"]) {
        let _ = write!(
            out,
            "<h2>{}</h2><p>{}</p>",
            text(&tag["name"]),
            text(&tag["description"])
        );
        for operation in operations(api) {
            if array(&operation.described["tags"])
                .iter()
                .any(|own| own == &tag["name"])
            {
                operation_block(&mut out, api, &operation);
            }
        }
    }
    out.push_str("<h2>Types</h2>");
    if let Some(schemas) = api["components"]["schemas"].as_object() {
        for (name, schema) in schemas {
            let _ = write!(
                out,
                "<h3 id='type-{0}'>{0}</h3><p>{1}</p>",
                escape(name),
                text(&schema["description"])
            );
            fields(&mut out, schema);
        }
    }
    out.push_str("<h2>Codes of refusals and failures</h2><table><tr><th>code<th>status<th>what it means, what to do");
    for (code, status, sentence) in all_codes() {
        let _ = write!(
            out,
            "<tr id='{code}'><td><code>{code}</code><td>{status}<td>{}",
            escape(sentence)
        );
    }
    out.push_str("</table></main>");
    out
}

/// What is described of one method of a path.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    described: &'a Value,
}

fn operations(api: &Value) -> impl Iterator<Item = Operation<'_>> {
    api["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(path, item)| {
            item.as_object()
                .into_iter()
                .flatten()
                .map(move |(method, described)| Operation {
                    path,
                    method,
                    described,
                })
        })
}

fn operation_block(out: &mut String, api: &Value, operation: &Operation<'_>) {
    let Operation {
        path,
        method,
        described: operation,
    } = *operation;
    let _ = write!(
        out,
        "<section><h3><code>{} {}</code></h3><p>{}</p><p>{}</p>",
        method.to_uppercase(),
        escape(path),
        text(&operation["summary"]),
        text(&operation["description"]),
    );
    let parameters = array(&operation["parameters"]);
    if !parameters.is_empty() {
        out.push_str("<table><tr><th>parameter<th>in<th>what");
        for parameter in parameters {
            let _ = write!(
                out,
                "<tr><td><code>{}</code><td>{}<td>{}",
                text(&parameter["name"]),
                text(&parameter["in"]),
                text(&parameter["description"])
            );
        }
        out.push_str("</table>");
    }
    if let Some(content) = operation["requestBody"]["content"].as_object() {
        for (content_type, media) in content {
            let _ = write!(
                out,
                "<p>Body: {} (<code>{}</code>)</p>",
                type_link(&media["schema"]),
                escape(content_type)
            );
            if let Some(example) = example(api, &media["schema"]) {
                let _ = write!(out, "<pre>{}</pre>", escape(&example));
            }
        }
    }
    out.push_str("<table><tr><th>status<th>answer<th>what");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let types: Vec<String> = response["content"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(content_type, media)| {
                format!(
                    "{} <small>{}</small>",
                    type_link(&media["schema"]),
                    escape(content_type)
                )
            })
            .collect();
        let _ = write!(
            out,
            "<tr><td>{}<td>{}<td>{}",
            escape(status),
            types.join("<br>"),
            text(&response["description"])
        );
    }
    out.push_str("</table></section>");
}

fn example(api: &Value, schema: &Value) -> Option<String> {
    let name = schema["$ref"].as_str()?.rsplit('/').next()?;
    let example = &api["components"]["schemas"][name]["example"];
    (!example.is_null())
        .then(|| serde_json::to_string_pretty(example).ok())
        .flatten()
}

fn fields(out: &mut String, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    let required = array(&schema["required"]);
    out.push_str("<table><tr><th>field<th>type<th>what");
    for (name, property) in properties {
        let must = required.iter().any(|own| own == name);
        let _ = write!(
            out,
            "<tr><td><code>{}</code>{}<td>{}<td>{}",
            escape(name),
            if must { " <small>always</small>" } else { "" },
            type_link(property),
            text(&property["description"])
        );
    }
    out.push_str("</table>");
}

/// A schema in a few words, its type linked.
fn type_link(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return format!("<a href='#type-{0}'>{0}</a>", escape(name));
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let links: Vec<String> = options.iter().map(type_link).collect();
        return links.join(" or ");
    }
    if schema["items"].is_object() {
        return format!("list of {}", type_link(&schema["items"]));
    }
    match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        own => text(own),
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
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

    #[test]
    fn every_route_and_code_stands_on_the_page() {
        let (_, api) = crate::app::documented().split_for_parts();
        let api = crate::openapi::complete(api);
        let json: Value = serde_json::from_str(&api.to_json().unwrap()).unwrap();
        assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
        let page = page(&json);
        for Operation { path, .. } in operations(&json) {
            assert!(page.contains(&escape(path)), "{path}");
        }
        for (code, ..) in all_codes() {
            assert!(page.contains(&format!("id='{code}'")), "{code}");
        }
        assert!(!page.contains("<script"));
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}
