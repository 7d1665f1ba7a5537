//! What a cell may wish: variables for itself alone, and values as data.

use super::*;
use sandbox::live::contexts::{EnvScope, Formats};

/// A language, and how it prints a variable or that there is none.
const READS: &[(&str, u32, &str)] = &[
    (
        "python",
        43700,
        "import os; print(os.getenv('V', '-'), os.getenv('HOME'))",
    ),
    (
        "node",
        43720,
        "console.log(process.env.V ?? '-', process.env.HOME)",
    ),
    ("bash", 43740, "echo ${V--} $HOME"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_cells_variables_end_with_it_where_it_says_so() {
    for (language, uid_base, reads) in READS {
        let name = format!("contexts-env-{language}");
        let Some(stay) = Stay::begin(named(language), &name, *uid_base).await else {
            continue;
        };
        let context = stay.context(named(language));
        let set = |scope, value: &str| Cell {
            env: vec![
                ("V".into(), value.into()),
                ("HOME".into(), format!("/{value}")),
            ],
            env_scope: scope,
            ..cell(reads)
        };
        let odd = "a'b\"$c d`";
        for (cell, out) in [
            (set(EnvScope::Cell, odd), format!("{odd} /{odd}\n")),
            (cell(reads), "- /work\n".to_owned()),
            (set(EnvScope::Context, "x"), "x /x\n".to_owned()),
            (set(EnvScope::Cell, "y"), "y /y\n".to_owned()),
            (cell(reads), "x /x\n".to_owned()),
        ] {
            let told = stay.run_cell(context, cell).await;
            assert_eq!(told.stdout, out, "{language}: {told:?}");
        }
        stay.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_data_where_they_are_asked_for() {
    let Some(stay) = Stay::begin(named("python"), "contexts-formats", 43760).await else {
        return;
    };
    let python = stay.context(named("python"));
    for (formats, kinds) in [
        (Formats::Notebook, &["text/plain"][..]),
        (Formats::Structured, &["application/json", "text/plain"]),
        (Formats::Notebook, &["text/plain"]),
    ] {
        let cell = Cell {
            formats,
            ..cell("[1, None, {'a': float('nan')}]")
        };
        let mut accepted = stay.contexts.execute(python, cell).unwrap();
        loop {
            let next = timeout(PATIENCE, accepted.events.next()).await.unwrap();
            match &*next.unwrap().1 {
                ContextEvent::Shown { data, .. } => {
                    assert_eq!(data.keys().collect::<Vec<_>>(), kinds);
                    if let Some(json) = data.get("application/json") {
                        assert_eq!(json, "[1, null, {\"a\": null}]");
                    }
                }
                ContextEvent::Ended(number, end) if *number == accepted.cell => {
                    assert_eq!(end.exit_code, Some(0));
                    break;
                }
                _ => {}
            }
        }
    }
    stay.end().await;
}
