//! `/`: one page to try programs and sandboxes and to see what happens. Its files are in the binary; it uses the same
//! API as every client, with the key that the user types in.

use crate::app::App;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use std::sync::Arc;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

/// Path, type, content.
type File = (&'static str, &'static str, &'static str);

macro_rules! asset {
    ($kind:ident, $name:literal) => {
        (
            concat!("/assets/", $name),
            $kind,
            include_str!(concat!("assets/", $name)),
        )
    };
}

const ICON: &str = include_str!("assets/favicon.svg");

const OWN: &[File] = &[
    ("/", HTML, include_str!("assets/index.html")),
    ("/favicon.svg", SVG, ICON),
    // Asked for by itself by browsers.
    ("/favicon.ico", SVG, ICON),
    asset!(CSS, "app.css"),
    asset!(CSS, "base.css"),
    asset!(CSS, "charts.css"),
    asset!(CSS, "docs.css"),
    asset!(JS, "api.js"),
    asset!(JS, "app.js"),
    asset!(JS, "artifacts.js"),
    asset!(JS, "attempt.js"),
    asset!(JS, "charts.js"),
    asset!(JS, "doctor.js"),
    asset!(JS, "docs.js"),
    asset!(JS, "dom.js"),
    asset!(JS, "events.js"),
    asset!(JS, "files.js"),
    asset!(JS, "highlight.js"),
    asset!(JS, "history.js"),
    asset!(JS, "icon.js"),
    asset!(JS, "job.js"),
    asset!(JS, "jobs.js"),
    asset!(JS, "processes.js"),
    asset!(JS, "run.js"),
    asset!(JS, "sandboxes.js"),
    asset!(JS, "status.js"),
    asset!(JS, "terminal.js"),
    asset!(JS, "usage.js"),
    asset!(JS, "who.js"),
    asset!(JS, "xterm-styles.js"),
];

/// As they came from npm (docs/decisions/073).
const XTERM: &[File] = &[
    asset!(JS, "xterm/xterm.mjs"),
    asset!(CSS, "xterm/xterm.css"),
    asset!(TEXT, "xterm/LICENSE"),
    asset!(JS, "xterm/addon-fit.mjs"),
    asset!(TEXT, "xterm/LICENSE-addon-fit"),
];

/// Only our own files and our own API; pictures that a job made come as `blob:`. No inline script or
/// style, so that nothing a job printed can become one.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'";

/// The page and its files.
pub fn router() -> Router<Arc<App>> {
    let files = OWN.iter().chain(XTERM);
    files.fold(Router::new(), |router, (path, kind, content)| {
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
    use sha2::{Digest as _, Sha256};
    use std::collections::BTreeSet;

    #[test]
    fn nothing_in_the_page_needs_what_the_policy_forbids() {
        for (path, _, content) in OWN {
            let content = content.replace("http://www.w3.org/2000/svg", "");
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

    #[test]
    fn what_came_from_npm_is_what_the_decision_names() {
        let record = include_str!("../../../docs/decisions/073-terminals-are-xterm-js.md");
        for (path, _, content) in XTERM {
            let name = path.trim_start_matches("/assets/xterm/");
            let digest = hex::encode(Sha256::digest(content));
            let row = format!("| `{name}` | `{digest}` |");
            assert!(record.contains(&row), "not in the record: {row}");
        }
    }

    #[test]
    fn every_file_that_is_imported_is_served_and_none_lies_idle() {
        let names = |content: &'static str| {
            let quoted = content.split('"').skip(1).step_by(2);
            quoted.filter(|text| text.starts_with("/assets/"))
        };
        let contents = OWN.iter().map(|(_, _, content)| *content);
        let contents = contents.chain([crate::docs::HEAD]);
        let named: BTreeSet<&str> = contents.flat_map(names).collect();
        let served = OWN.iter().chain(XTERM).map(|(path, ..)| *path);
        let unnamed = |path: &&str| !path.starts_with("/assets/") || path.contains("LICENSE");
        let served: BTreeSet<&str> = served.filter(|path| !unnamed(path)).collect();
        assert_eq!(named, served);
    }
}
