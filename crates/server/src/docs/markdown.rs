//! Descriptions are Markdown, as Rust's own are; here they become HTML.

use pulldown_cmark::{Event, Options, Parser, html};

/// Paragraphs, lists and the like. HTML in the text stays text.
pub fn blocks(text: &str) -> String {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        other => other,
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

/// The same for a cell of a table: one paragraph comes without its element.
pub fn line(text: &str) -> String {
    let made = blocks(text);
    let made = made.trim();
    match made
        .strip_prefix("<p>")
        .and_then(|rest| rest.strip_suffix("</p>"))
    {
        Some(inner) if !inner.contains("<p>") => inner.to_owned(),
        _ => made.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_links_are_rendered_and_html_stays_text() {
        let made = line("`a < b` of [it](#type-It): <b onclick=x>&amp;");
        let code = "<code>a &lt; b</code> of <a href=\"#type-It\">it</a>: ";
        assert_eq!(made, format!("{code}&lt;b onclick=x&gt;&amp;"));
        assert_eq!(blocks("one\n\ntwo"), "<p>one</p>\n<p>two</p>\n");
        assert_eq!(line("one\n\ntwo"), "<p>one</p>\n<p>two</p>");
    }
}
