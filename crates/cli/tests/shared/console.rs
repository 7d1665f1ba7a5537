//! What a page shows of a terminal: blocks of `console`, in which commands stand behind `$ ` (`> ` where one goes on) and
//! under them what they print.

/// One line of the page that matters to whoever plays it.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown {
    /// The page's title, or a heading.
    Heading(String),
    Step(Step),
}

/// One command.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Lines of the page that are its output: the first, and the one after the last, from 0.
    pub output_lines: std::ops::Range<usize>,
    pub command: String,
    pub output: String,
}

/// What a page shows, in its order.
pub fn shown(page: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut is_open = false;
    for (number, line) in page.lines().enumerate() {
        let last = shown.last_mut();
        match (is_open, line) {
            (false, "```console") => is_open = true,
            (true, "```") => is_open = false,
            (false, line) if line.starts_with('#') => {
                let heading = line.trim_start_matches('#').trim();
                shown.push(Shown::Heading(heading.to_owned()));
            }
            (false, _) => {}
            (true, line) => match (line.strip_prefix("$ "), line.strip_prefix("> "), last) {
                (Some(command), _, _) => shown.push(Shown::Step(Step {
                    output_lines: number + 1..number + 1,
                    command: command.to_owned(),
                    output: String::new(),
                })),
                (None, Some(more), Some(Shown::Step(step))) if step.output.is_empty() => {
                    step.command.push('\n');
                    step.command.push_str(more);
                    step.output_lines = number + 1..number + 1;
                }
                (None, _, Some(Shown::Step(step))) => {
                    step.output.push_str(line);
                    step.output.push('\n');
                    step.output_lines.end = number + 1;
                }
                (None, _, _) => panic!("line {}: output without a command", number + 1),
            },
        }
    }
    shown
}
