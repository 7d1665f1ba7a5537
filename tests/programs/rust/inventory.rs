// Commands on standard input change an inventory: parsing, enums, errors with a cause, ownership, Drop.
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, Write};
use std::num::ParseIntError;
use std::rc::{Rc, Weak};
use std::cell::RefCell;

#[derive(Debug)]
enum Failure {
    Unknown(String),
    Count { text: String, source: ParseIntError },
    Short { item: String, have: u32, want: u32 },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unknown(what) => write!(f, "unknown: {what}"),
            Failure::Count { text, source } => write!(f, "count {text:?}: {source}"),
            Failure::Short { item, have, want } => write!(f, "{item}: {have} there, {want} wanted"),
        }
    }
}
impl std::error::Error for Failure {}

enum Command<'a> {
    Add(&'a str, u32),
    Take(&'a str, u32),
    List { longest_first: bool },
}

impl<'a> TryFrom<&'a str> for Command<'a> {
    type Error = Failure;
    fn try_from(line: &'a str) -> Result<Self, Failure> {
        let count = |text: &str| text.parse().map_err(|source| Failure::Count { text: text.to_string(), source });
        match *line.split_whitespace().collect::<Vec<_>>() {
            ["add", item] => Ok(Command::Add(item, 1)),
            ["add", item, n] => Ok(Command::Add(item, count(n)?)),
            ["take", n, "of", item] | ["take", item, n] => Ok(Command::Take(item, count(n)?)),
            ["list", ref options @ ..] => Ok(Command::List { longest_first: options.contains(&"--longest") }),
            _ => Err(Failure::Unknown(line.trim().to_owned())),
        }
    }
}

#[derive(Default)]
struct Store {
    items: HashMap<String, u32>,
}

impl Store {
    fn apply(&mut self, command: Command, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
        match command {
            Command::Add(item, n) => *self.items.entry(item.to_string()).or_insert(0) += n,
            Command::Take(item, want) => {
                let have = self.items.get_mut(item).ok_or_else(|| Failure::Unknown(item.into()))?;
                *have = have.checked_sub(want).ok_or(Failure::Short { item: item.into(), have: *have, want })?;
                if *have == 0 {
                    self.items.remove(item);
                }
            }
            Command::List { longest_first } => {
                let mut all: Vec<_> = self.items.iter().collect();
                all.sort_by(|(a, _), (b, _)| if longest_first { b.len().cmp(&a.len()).then(a.cmp(b)) } else { a.cmp(b) });
                for (item, n) in all {
                    writeln!(out, "{item:.<10}{n:.>5}")?;
                }
            }
        }
        Ok(())
    }
}

struct Node {
    name: &'static str,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Rc<Node>>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        println!("{} is gone", self.name);
    }
}

fn node(name: &'static str, children: Vec<Rc<Node>>) -> Rc<Node> {
    let node = Rc::new(Node { name, parent: Default::default(), children: RefCell::new(children) });
    for child in node.children.borrow().iter() {
        *child.parent.borrow_mut() = Rc::downgrade(&node);
    }
    node
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut store, mut out) = (Store::default(), io::BufWriter::new(io::stdout()));
    writeln!(out, "{}", std::env::args().skip(1).map(|a| format!("<{a}>")).collect::<String>())?;
    for (number, line) in io::stdin().lock().lines().enumerate() {
        let line = line?;
        let done = Command::try_from(line.as_str()).map_err(Into::into).and_then(|command| store.apply(command, &mut out));
        if let Err(error) = done {
            writeln!(out, "line {}: {error}", number + 1)?;
        }
    }
    out.flush()?;
    let leaf = node("leaf", vec![]);
    let root = node("root", vec![Rc::clone(&leaf), node("twig", vec![])]);
    println!("{} {}", leaf.parent.borrow().upgrade().map_or("none", |p| p.name), Rc::strong_count(&leaf));
    drop(root);
    println!("{}", leaf.parent.borrow().upgrade().is_none());
    Ok(())
}
