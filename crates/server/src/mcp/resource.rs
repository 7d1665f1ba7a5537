//! A file as a resource of the protocol: whole, text as text and bytes in the protocol's own base64. It is a client that
//! reads these, for its user; a model has `read_file`.

use super::call::Call;
use super::place::Place;
use super::uri::FileUri;
use crate::mime;
use crate::problem::{HttpCode, Problem};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{ReadResourceResult, ResourceContents};

/// The largest file that is read so.
const MAX_RESOURCE_BYTES: usize = 8 * 1024 * 1024;

/// The file.
pub async fn read(call: &Call, uri: &FileUri) -> Result<ReadResourceResult, Problem> {
    let place = Place::of(call, &uri.id)?;
    // Its bytes, and the answer made of them.
    let room = call.app.memory.room(2 * MAX_RESOURCE_BYTES as u64).await;
    let part = place.read(&uri.path, 0, |_| MAX_RESOURCE_BYTES).await?;
    if part.bytes.len() > MAX_RESOURCE_BYTES {
        let sentence = format!("the file is over {MAX_RESOURCE_BYTES} bytes: read it in parts");
        return Err(Problem::with(HttpCode::FileTooLarge, sentence));
    }
    call.until_answered.keep(room);
    let address = uri.to_string();
    let contents = match std::str::from_utf8(&part.bytes) {
        Ok(text) => ResourceContents::text(text, address),
        Err(_) => ResourceContents::blob(STANDARD.encode(&part.bytes), address),
    };
    let contents = match mime::of_name(&uri.path) {
        Some(mime) => contents.with_mime_type(mime),
        None => contents,
    };
    Ok(ReadResourceResult::new(vec![contents]))
}
