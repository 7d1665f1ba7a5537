//! A program in a session: a cell of its language's context. Variables, functions, files stay. A call that is cancelled
//! interrupts the program, and nothing else: the session and its files stay.

use super::Arguments;
use super::outputs;
use crate::execute::request::{RequestFile, job_file};
use crate::mcp::call::Call;
use crate::mcp::picture::{Pictures, Shown};
use crate::mcp::place::{Place, absolute};
use crate::mcp::run_facts::{RunFacts, Texts, thousandths};
use crate::mcp::tools::write_file::put;
use crate::memory::Held;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::cell::ExecuteCellRequest;
use crate::sandboxes::execute::{Begun, LateBody, ResultBody, Whole, begin, whole};
use crate::sandboxes::failure::plain;
use crate::sandboxes::follower::OnDisconnect;
use crate::sandboxes::table::UsedSandbox;
use rmcp::model::CallToolResult;
use sandbox::live::contexts::{Bundle, CellEnd, Lost, Stop};
use std::collections::BTreeMap;

/// Types of a value that are read, best first.
const TEXTS: &[&str] = &[
    "text/plain",
    "text/markdown",
    "text/latex",
    "application/json",
];
const PICTURES: &[&str] = &["image/png", "image/jpeg"];

pub(super) async fn run(
    call: &Call,
    session: &str,
    mut arguments: Arguments,
) -> Result<CallToolResult, Problem> {
    let used = UsedSandbox::take(&call.app, &call.who, session)?;
    for file in arguments.files.take().unwrap_or_default() {
        let file = job_file(RequestFile::from(file))?;
        put(&used, &absolute("files", &file.path)?, &file.data.0).await?;
    }
    let before = outputs::look(&used).await;
    let (cell, room) = cell(call, &used, arguments).await?;
    check_started(&cell.end)?;
    let after = outputs::look(&used).await;
    let mut pictures = Pictures::default();
    let value = value(&cell.body.results, &mut pictures);
    let facts = facts(&cell, session, &value);
    // One room at a time: who waits for the second holds none that others wait for.
    drop((cell, room));
    let left = outputs::changed(&before, after);
    let files = outputs::facts(&Place::Session(used), session, left, &mut pictures).await;
    let room = call.app.memory.answer(pictures.answer_bytes()).await;
    call.until_answered.keep(room);
    let facts = RunFacts {
        pictures: pictures.count(),
        ..facts.with_files(files)
    };
    Ok(facts.result(pictures))
}

/// Hands the program in, and waits for its end; with the room of what it said.
async fn cell(
    call: &Call,
    used: &UsedSandbox,
    arguments: Arguments,
) -> Result<(Whole, Held), Problem> {
    let request = ExecuteCellRequest {
        code: arguments.code,
        context: None,
        language: Some(arguments.language),
        timeout: arguments.timeout,
        stdin: arguments.stdin,
        args: arguments.args.unwrap_or_default(),
        env: BTreeMap::new(),
        on_disconnect: OnDisconnect::Kill,
    };
    let Begun {
        events,
        ids,
        most,
        mut interruption,
    } = begin(used, request)?;
    let mut room = call.app.memory.room(most as u64).await;
    let hear = |bytes: &[u8]| call.progress.hear(bytes);
    let whole = whole(used, events, ids, hear);
    let whole = call.progress.during(whole).await?;
    interruption.done();
    room.shrink(whole.bytes as u64);
    Ok((whole, room))
}

/// A language that this session's image does not have is the caller's to mend.
fn check_started(end: &CellEnd) -> Result<(), Problem> {
    let Some(Lost::NotStarted(why)) = &end.lost else {
        return Ok(());
    };
    let sentence = format!("the interpreter did not start: {}", plain(why));
    Err(Problem::with(HttpCode::ProcessNotStarted, sentence).field("language"))
}

/// What was shown, as text; pictures are taken out of it.
fn value(results: &[ResultBody], pictures: &mut Pictures) -> String {
    let mut texts = Vec::new();
    for ResultBody { data, .. } in results {
        let picture = PICTURES.iter().find_map(|mime| data.get(*mime));
        match picture.map(|base64| pictures.take_base64(base64)) {
            Some(Shown::Yes) => {}
            Some(Shown::NoRoom) => {
                texts.push("[a picture that is too large to be shown: save it to /work/out]".into())
            }
            Some(Shown::NoPicture) | None => texts.extend(text(data)),
        }
    }
    texts.join("\n")
}

/// The best text of a value; one that has none is named by its types, for base64 is nothing to read.
fn text(data: &Bundle) -> Option<String> {
    let best = TEXTS.iter().find_map(|mime| data.get(*mime));
    let types = || {
        let types: Vec<&str> = data.keys().map(String::as_str).collect();
        (!types.is_empty()).then(|| format!("[a value of type {}]", types.join(", ")))
    };
    best.cloned().or_else(types)
}

fn facts(cell: &Whole, session: &str, value: &str) -> RunFacts {
    let Whole { body, end, .. } = cell;
    let error = body.error.as_ref();
    let exception = error.map(|error| match error.traceback.is_empty() {
        true => format!("{}: {}", error.name, error.value),
        false => error.traceback.clone(),
    });
    let lost = body.end.lost.as_ref();
    let mut facts = RunFacts {
        status: body.end.status,
        exit_code: body.end.exit_code,
        signal: lost.and_then(|lost| lost.exit.as_ref()?.signal),
        error: lost
            .map(|lost| lost.detail.clone())
            .or_else(|| end.stopped.map(why).map(str::to_owned)),
        seconds: thousandths(body.end.exec_time),
        session_id: Some(session.to_owned()),
        ..RunFacts::default()
    };
    if body.renewed {
        facts.note(
            "the interpreter is a new one: variables of earlier calls are gone, files are there",
        );
    }
    for LateBody { stream, data, .. } in &body.late {
        facts.note(&format!(
            "printed meanwhile to {stream} by what an earlier call left running: {data}"
        ));
    }
    for note in body
        .common
        .notes
        .iter()
        .filter(|note| lost.is_none_or(|lost| lost.detail != **note))
    {
        facts.note(note);
    }
    facts.with_texts(Texts {
        stdout: &body.logs.stdout.0,
        stderr: &body.logs.stderr.0,
        value,
        exception: exception.as_deref().unwrap_or(""),
    })
}

/// Why it did not come to its end by itself.
fn why(stop: Stop) -> &'static str {
    match stop {
        Stop::Timeout => "its time was up and it was interrupted; variables and files stay",
        Stop::Output => "it printed more than it may and was interrupted; variables and files stay",
        Stop::Interrupt => "it was interrupted; variables and files stay",
        Stop::Context => "its interpreter was ended",
    }
}
