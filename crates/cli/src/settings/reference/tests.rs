//! The page `docs/configuration.md` is the table, and so is the commented configuration.

use super::*;
use crate::settings::Settings;
use crate::settings::file::read;
use crate::settings::table::settings;
use std::path::Path;

/// `UPDATE_DOCS=1` writes it.
#[test]
fn the_page_is_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = page(&settings());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(
        written == page,
        "docs/configuration.md differs; UPDATE_DOCS=1 cargo test -p cli writes it"
    );
}

/// With its comments taken away the commented configuration is the defaults.
#[test]
fn the_commented_configuration_is_the_defaults() {
    let commented = toml(&settings());
    assert!(read(&commented, |_| Ok(())).is_ok());
    let is_own = |line: &&str| !line.starts_with("##");
    let lines = commented.lines().filter(is_own);
    let plain: Vec<&str> = lines
        .map(|line| line.strip_prefix('#').unwrap_or(line))
        .collect();
    let (read, _) = read(&plain.join("\n"), |_| Ok(())).unwrap();
    let json = |settings: &Settings| serde_json::to_value(settings).unwrap();
    assert_eq!(json(&read), json(&Settings::default()));
}

/// What the page says before its tables.
const INTRO: &str = include_str!("intro.md");

/// The page `docs/configuration.md`.
fn page(rows: &[Setting]) -> String {
    let mut page = INTRO.to_owned();
    for (table, rows) in by_table(rows) {
        let heading = match table {
            "" => "Above all tables".to_owned(),
            table => format!("`[{table}]`"),
        };
        page += &format!("\n### {heading}\n\n");
        page += "| setting | type | default | reload | meaning |\n|---|---|---|---|---|\n";
        for row in rows {
            let reload = if row.reload { "yes" } else { "" };
            let cells = [
                format!("`{}`", own_name(row)),
                code_words(&kind(row)),
                default(row).map_or(String::new(), |text| format!("`{text}`")),
                reload.into(),
                meaning(row),
            ];
            let escaped = cells.map(|cell| cell.replace('|', "\\|"));
            page += &format!("| {} |\n", escaped.join(" | "));
        }
    }
    page
}

fn code_words(kind: &str) -> String {
    match kind.contains('"') {
        true => format!("`{kind}`"),
        false => kind.into(),
    }
}
