//! Sessions of JavaScript.

use super::*;

#[tokio::test]
async fn node_keeps_its_variables_and_shows_values() {
    let Some(cells) = Cells::of("node").await else {
        return;
    };
    let cell = cells
        .run("const x = 41; let y = { a: [1] }; console.log('printed')")
        .await;
    assert_eq!(cell["logs"]["stdout"], "printed\n", "{cell}");
    assert_eq!(plain(&cells.run("const x = 42; x").await), "42");
    assert_eq!(
        plain(&cells.run("await Promise.resolve(y)").await),
        "{ a: [ 1 ] }"
    );
    let failed = cells
        .run("console.error('warned'); function f() { return null.x }; f()")
        .await;
    assert_eq!(failed["logs"]["stderr"], "warned\n", "{failed}");
    assert_eq!(failed["error"]["name"], "TypeError", "{failed}");
    let value = failed["error"]["value"].as_str().unwrap();
    assert!(
        value.starts_with("Cannot read properties of null"),
        "{value}"
    );
    let traceback = failed["error"]["traceback"].as_str().unwrap();
    assert!(traceback.contains("at f "), "{traceback}");
    let kept = "const o = require('fs'); o.mkdirSync('/work/out', { recursive: true }); \
                o.writeFileSync('/work/out/a.json', '[1]')";
    let kept = cells.run(kept).await;
    assert_eq!(
        kept["artifacts"][0]["data"],
        json!({"application/json": [1]}),
        "{kept}"
    );
    let shown = cells
        .run("({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<i>' }) })")
        .await;
    assert_eq!(shown["results"][0]["text/html"], "<i>", "{shown}");
    let fed = cells
        .run_with(json!({"code": "require('fs').readFileSync(0, 'utf8')", "stdin": "fed"}))
        .await;
    assert_eq!(plain(&fed), "'fed'");
    let left = cells.run("process.exit(3)").await;
    assert_eq!(left["exit_code"], 3, "{left}");
    assert_eq!(plain(&cells.run("typeof x").await), "'undefined'");
    cells.end().await;
}
