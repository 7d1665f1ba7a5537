//! `/`: one page to try a program and to see what happens. Its files are in the binary; it uses the
//! same API as every client, with the key that the user types in.

use crate::app::App;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use std::sync::Arc;

/// Path, type, content.
const FILES: &[(&str, &str, &str)] = &[
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("assets/index.html"),
    ),
    (
        "/assets/app.css",
        "text/css; charset=utf-8",
        include_str!("assets/app.css"),
    ),
    (
        "/assets/app.js",
        "text/javascript; charset=utf-8",
        include_str!("assets/app.js"),
    ),
    (
        "/assets/highlight.js",
        "text/javascript; charset=utf-8",
        include_str!("assets/highlight.js"),
    ),
];

/// Only our own files and our own API; pictures that a job made come as `blob:`. No inline script or
/// style, so that nothing a job printed can become one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'";

/// The page and its files.
pub fn router() -> Router<Arc<App>> {
    FILES
        .iter()
        .fold(Router::new(), |router, (path, kind, content)| {
            let headers = [
                (header::CONTENT_TYPE, *kind),
                (header::CONTENT_SECURITY_POLICY, POLICY),
            ];
            router.route(path, get(move || async move { (headers, *content) }))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_page_needs_what_the_policy_forbids() {
        for (path, _, content) in FILES {
            for forbidden in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "https://",
                "style=",
                "onclick",
                "<script>",
                "<style",
            ] {
                assert!(!content.contains(forbidden), "{path} has {forbidden}");
            }
        }
    }
}
