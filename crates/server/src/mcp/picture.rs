//! Pictures: what a model can look at. PNG and JPEG alone, by their first bytes: a name is the guest's word.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::ContentBlock;

/// The largest picture that is shown; a larger one is linked. Base64 makes a third more of it.
pub const MAX_PICTURE_BYTES: usize = 1024 * 1024;

/// Pictures that one result shows, and their bytes together.
const MAX_PICTURES: usize = 4;
const MAX_PICTURES_BYTES: usize = 2 * 1024 * 1024;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";

/// The type of what begins so, where it is a picture.
pub fn mime_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        _ if bytes.starts_with(PNG) => Some("image/png"),
        _ if bytes.starts_with(JPEG) => Some("image/jpeg"),
        _ => None,
    }
}

/// The pictures of one result.
#[derive(Debug, Default)]
pub struct Pictures {
    shown: Vec<(&'static str, Bytes)>,
    bytes: usize,
}

/// What became of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It is in the result.
    Yes,
    /// It is none.
    NoPicture,
    /// It is too large, or the result has enough.
    NoRoom,
}

impl Pictures {
    /// Takes one in, where it is one and has room.
    pub fn take(&mut self, bytes: Bytes) -> Shown {
        let Some(mime) = mime_of(&bytes) else {
            return Shown::NoPicture;
        };
        let all = self.bytes + bytes.len();
        if bytes.len() > MAX_PICTURE_BYTES
            || all > MAX_PICTURES_BYTES
            || self.shown.len() >= MAX_PICTURES
        {
            return Shown::NoRoom;
        }
        self.bytes = all;
        self.shown.push((mime, bytes));
        Shown::Yes
    }

    /// The same of one that came as base64.
    pub fn take_base64(&mut self, text: &str) -> Shown {
        match protocol::bytes::from_base64(text) {
            Ok(bytes) => self.take(bytes.into()),
            Err(_) => Shown::NoPicture,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.shown.len()
    }

    /// What they take in an answer, in bytes.
    pub fn answer_bytes(&self) -> u64 {
        (self.bytes * 4 / 3) as u64
    }

    /// As content.
    pub fn content(self) -> impl Iterator<Item = ContentBlock> {
        let block =
            |(mime, bytes): (&str, Bytes)| ContentBlock::image(STANDARD.encode(bytes), mime);
        self.shown.into_iter().map(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(bytes: usize) -> Bytes {
        let mut picture = PNG.to_vec();
        picture.resize(bytes, 0);
        picture.into()
    }

    #[test]
    fn the_first_bytes_tell_what_is_a_picture() {
        for (bytes, mime) in [
            (PNG, Some("image/png")),
            (b"\xff\xd8\xff\xe0".as_slice(), Some("image/jpeg")),
            (b"GIF89a", None),
            (b"<svg/>", None),
            (b"\x89PNG", None),
            (b"", None),
        ] {
            assert_eq!(mime_of(bytes), mime);
        }
    }

    #[test]
    fn pictures_are_bounded_in_size_and_number() {
        let mut pictures = Pictures::default();
        assert_eq!(pictures.take(b"no".as_slice().into()), Shown::NoPicture);
        assert_eq!(pictures.take(png(MAX_PICTURE_BYTES + 1)), Shown::NoRoom);
        for _ in 0..MAX_PICTURES {
            assert_eq!(pictures.take(png(100)), Shown::Yes);
        }
        assert_eq!(pictures.take(png(100)), Shown::NoRoom);
        let mut pictures = Pictures::default();
        for shown in [Shown::Yes, Shown::Yes, Shown::NoRoom] {
            assert_eq!(pictures.take(png(MAX_PICTURE_BYTES)), shown);
        }
        assert_eq!(pictures.take_base64("not base64!"), Shown::NoPicture);
        assert_eq!(pictures.count(), 2);
    }
}
