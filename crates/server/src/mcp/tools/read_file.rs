//! `read_file`: text in parts of 16 KiB, a picture as a picture, anything else by its facts and a link.

use super::tool;
use crate::mcp::call::Call;
use crate::mcp::clip::MAX_TEXT_BYTES;
use crate::mcp::file_facts::FileFacts;
use crate::mcp::picture::{MAX_PICTURE_BYTES, Pictures, Shown, mime_of};
use crate::mcp::place::{Part, Place, named};
use crate::mcp::uri::FileUri;
use crate::problem::Problem;
use rmcp::model::{CallToolResult, ContentBlock, Tool, ToolAnnotations};
use rmcp::schemars;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub struct Arguments {
    /// Absolute, relative to /work, or the sandbox:// address of a result.
    path: String,
    /// The session, or the run_id of a run without session; not needed with an address.
    session_id: Option<String>,
    /// Bytes to pass over: next_offset of the part before.
    offset: Option<u64>,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct ReadFacts {
    /// Absolute.
    path: String,
    /// Of the whole file, in bytes, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// `text`, `picture` or `binary`.
    kind: &'static str,
    /// Where this part begins.
    offset: u64,
    /// Where to read on; absent: this was the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<u64>,
    /// This part, where it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

pub(super) fn definition() -> Tool {
    let about = "Read a file of a session, or one that a run left: text in parts of 16 KiB, PNG and JPEG as a picture.";
    let hints = ToolAnnotations::with_title("Read a file");
    let hints = hints.read_only(true).destructive(false).idempotent(true);
    tool::<Arguments, ReadFacts>("read_file", about.to_owned(), hints)
}

pub(super) async fn run(call: &Call, arguments: Arguments) -> Result<CallToolResult, Problem> {
    let uri = named(arguments.session_id, &arguments.path)?;
    let place = Place::of(call, &uri.id)?;
    let offset = arguments.offset.unwrap_or(0);
    // A picture is whole or it is none.
    let most = |first: &[u8]| match (offset, mime_of(first)) {
        (0, Some(_)) => MAX_PICTURE_BYTES,
        _ => MAX_TEXT_BYTES,
    };
    let room = call.app.memory.answer(MAX_PICTURE_BYTES as u64).await;
    let part = place.read(&uri.path, offset, most).await?;
    call.until_answered.keep(room);
    let mut pictures = Pictures::default();
    if offset == 0 && pictures.take(part.bytes.clone()) == Shown::Yes {
        return Ok(picture(&uri, &part, pictures));
    }
    Ok(match text_of(&part, offset) {
        Some(text) => text_result(&uri, &part, (offset, text)),
        None => binary(&uri, &part, offset),
    })
}

fn result(facts: &ReadFacts, content: Vec<ContentBlock>) -> CallToolResult {
    let mut result = CallToolResult::success(content);
    result.structured_content = serde_json::to_value(facts).ok();
    result
}

fn facts(uri: &FileUri, part: &Part, kind: &'static str) -> ReadFacts {
    ReadFacts {
        path: uri.path.clone(),
        size: part.size,
        kind,
        offset: 0,
        next_offset: None,
        text: None,
    }
}

fn picture(uri: &FileUri, part: &Part, pictures: Pictures) -> CallToolResult {
    let facts = facts(uri, part, "picture");
    let line = format!("{}: a picture of {} bytes", facts.path, part.bytes.len());
    let mut content = vec![ContentBlock::text(line)];
    content.extend(pictures.content());
    result(&facts, content)
}

/// The text of a part.
struct PartText {
    /// Bytes of a character that begins before the part.
    skipped: usize,
    text: String,
}

/// A part as text, as far as whole characters go; `None`: it is no text.
fn text_of(part: &Part, offset: u64) -> Option<PartText> {
    let window = &part.bytes[..part.bytes.len().min(MAX_TEXT_BYTES)];
    // An offset may lead into the middle of a character.
    let inner = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    let skipped = match offset {
        0 => 0,
        _ => window.iter().take(3).take_while(inner).count(),
    };
    let window = &window[skipped..];
    let text = match std::str::from_utf8(window) {
        Ok(text) => text,
        // A character is cut at the end, where there is more.
        Err(error) if error.error_len().is_none() && part.bytes.len() > MAX_TEXT_BYTES => {
            std::str::from_utf8(&window[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let text = text.to_owned();
    (!text.contains('\0')).then_some(PartText { skipped, text })
}

fn text_result(uri: &FileUri, part: &Part, (offset, read): (u64, PartText)) -> CallToolResult {
    let PartText { skipped, text } = read;
    let is_all = part.bytes.len() <= MAX_TEXT_BYTES;
    // What is passed over at the beginning is counted as read.
    let next = offset + (skipped + text.len()) as u64;
    let facts = ReadFacts {
        offset,
        next_offset: (!is_all).then_some(next),
        text: Some(text.clone()),
        ..facts(uri, part, "text")
    };
    let size = part
        .size
        .map_or(String::new(), |size| format!(" of {size}"));
    let end = match facts.next_offset {
        None if offset == 0 => String::new(),
        None => format!("[bytes {offset} to {next}{size}: the end]"),
        Some(next) => {
            format!("[bytes {offset} to {next}{size}; read on with offset {next}]")
        }
    };
    let shown = match (text.is_empty(), end.is_empty()) {
        (true, true) => "[the file is empty]".to_owned(),
        (_, true) => text,
        (_, false) => format!("{text}\n{end}"),
    };
    result(&facts, vec![ContentBlock::text(shown)])
}

fn binary(uri: &FileUri, part: &Part, offset: u64) -> CallToolResult {
    let size = part.size.unwrap_or(part.bytes.len() as u64);
    let file = FileFacts::new(&uri.id, &uri.path, size);
    let facts = ReadFacts {
        offset,
        ..facts(uri, part, "binary")
    };
    let line = format!(
        "{} is no text: {size} bytes of {}. Have a program read it, or open the linked resource.",
        file.path, file.mime_type
    );
    result(&facts, vec![ContentBlock::text(line), file.link()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(bytes: &[u8], offset: usize) -> Part {
        let rest = &bytes[offset.min(bytes.len())..];
        Part {
            bytes: rest[..rest.len().min(MAX_TEXT_BYTES + 1)].to_vec().into(),
            size: Some(bytes.len() as u64),
        }
    }

    /// All parts of a text, read one after another.
    fn read_all(bytes: &[u8]) -> String {
        let uri = FileUri::new("s", "/work/a");
        let (mut all, mut offset) = (String::new(), 0);
        loop {
            let part = part(bytes, offset);
            let text = text_of(&part, offset as u64).unwrap();
            let result = text_result(&uri, &part, (offset as u64, text));
            let facts = result.structured_content.unwrap();
            all.push_str(facts["text"].as_str().unwrap());
            match facts["next_offset"].as_u64() {
                Some(next) => offset = next as usize,
                None => return all,
            }
        }
    }

    #[test]
    fn what_is_no_text_is_told_and_linked_and_never_base64() {
        for bytes in [b"a\0b".as_slice(), b"\xff\xfe", b"caf\xc3"] {
            let part = part(bytes, 0);
            assert!(text_of(&part, 0).is_none());
            let result = binary(&FileUri::new("s", "/work/a.bin"), &part, 0);
            let text = &result.content[0].as_text().unwrap().text;
            assert!(text.contains("no text") && text.contains("a.bin"));
            let link = serde_json::to_value(&result.content[1]).unwrap();
            assert_eq!(link["uri"], "sandbox://s/work/a.bin");
            assert!(result.structured_content.unwrap().get("text").is_none());
        }
    }

    #[test]
    fn the_end_and_an_empty_file_are_said() {
        let uri = FileUri::new("s", "/work/a");
        let text = |bytes: &[u8], offset: usize| {
            let part = part(bytes, offset);
            let text = text_of(&part, offset as u64).unwrap();
            let result = text_result(&uri, &part, (offset as u64, text));
            result.content[0].as_text().unwrap().text.clone()
        };
        assert_eq!(text(b"", 0), "[the file is empty]");
        assert_eq!(text(b"abc", 0), "abc");
        assert_eq!(text(b"abc", 1), "bc\n[bytes 1 to 3 of 3: the end]");
        assert_eq!(text(b"abc", 9), "\n[bytes 9 to 9 of 3: the end]");
        let long = "é".repeat(20_000);
        assert!(text(long.as_bytes(), 0).ends_with("of 40000; read on with offset 16384]"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_parts_of_a_text_are_all_of_it(piece in "[aé€😀\\n]{1,40}", times in 1usize..3000) {
            let text = piece.repeat(times);
            prop_assert_eq!(read_all(text.as_bytes()), text);
        }
    }
}
