//! The few shapes of SVG that a plot is made of, and how wide a text is where nobody knows the reader's font.

use std::fmt::Write;

/// Which end of a text its place is.
#[derive(Debug, Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// A picture in the making. Places are of a text's base line, and of a shape's upper left.
#[derive(Default)]
pub struct Svg(String);

impl Svg {
    pub fn text(&mut self, at: (f64, f64), (size, anchor): (f64, Anchor), text: &str) {
        self.any_text("", at, (size, anchor, text));
    }

    /// A text of the second rank: units, remarks.
    pub fn small(&mut self, at: (f64, f64), anchor: Anchor, text: &str) {
        self.any_text(" class=\"s\"", at, (super::SMALL, anchor, text));
    }

    fn any_text(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        (size, anchor, text): (f64, Anchor, &str),
    ) {
        let anchor = anchor.name();
        let text = escaped(text);
        // Writing to a string does not fail.
        let _ = writeln!(
            self.0,
            "<text{class} x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\">{text}</text>"
        );
    }

    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = writeln!(
            self.0,
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        );
    }

    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let _ = writeln!(
            self.0,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }

    /// The whole picture, with a title for those who do not see it.
    pub fn finish(self, title: &str, style: &str, (width, height): (f64, f64)) -> String {
        let title = escaped(title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" role=\"img\">\n\
             <title>{title}</title>\n<style>{style}</style>\n{}</svg>\n",
            self.0
        )
    }
}

/// As XML has it; what XML does not have at all is a blank.
fn escaped(text: &str) -> String {
    let plain = text.replace(|letter: char| letter.is_control(), " ");
    plain
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// How wide a text is at most, in the unit of its size: of the usual sans-serif fonts the widest.
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(share).sum::<f64>() * size
}

fn share(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.34,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.0,
        'A'..='Z' | 'µ' | '×' => 0.75,
        '\0'..='\u{24f}' => 0.64,
        // Of scripts that are written in squares.
        _ => 1.1,
    }
}

/// A text that is at most so wide: what is over is left out, which is said by `…`.
pub fn clipped(text: &str, size: f64, most: f64) -> String {
    if text_width(text, size) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        kept.push(letter);
        if text_width(&kept, size) + share('…') * size > most {
            kept.pop();
            break;
        }
    }
    format!("{}…", kept.trim_end())
}
