//! Decompression of a layer: gzip, zstd, or none, told by the first bytes and not by what a manifest says of them.

use crate::oci::error::Fault;
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, Read};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bytes of what a frame may have its reader keep: eight times zstd's own at its usual levels.
const MAX_WINDOW_BYTES: u64 = 64 << 20;
/// Decoded at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// The bytes of a layer's archive.
pub(crate) fn decompressed<'a>(
    mut source: impl BufRead + 'a,
) -> Result<Box<dyn Read + 'a>, io::Error> {
    let first = source.fill_buf()?;
    if first.starts_with(GZIP) {
        return Ok(Box::new(MultiGzDecoder::new(source)));
    }
    if first.starts_with(&ZSTD[..first.len().min(4)]) && !first.is_empty() {
        return Ok(Box::new(Frames::new(source)));
    }
    Ok(Box::new(source))
}

/// The frames of a zstd file, one after the other; writers that make files seekable use many, and skippable ones.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Between,
    Within,
    Ended,
}

impl<R: Read> Frames<R> {
    fn new(source: R) -> Frames<R> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_BYTES);
        Frames {
            source,
            decoder,
            state: State::Between,
        }
    }

    /// Starts the next frame, or finds the end.
    fn start(&mut self) -> io::Result<()> {
        let mut magic = [0; 4];
        if self.source.read(&mut magic[..1])? == 0 {
            self.state = State::Ended;
            return Ok(());
        }
        self.source.read_exact(&mut magic[1..])?;
        if is_skippable(magic) {
            let mut length = [0; 4];
            self.source.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            let skipped = io::copy(&mut (&mut self.source).take(length), &mut io::sink())?;
            return match skipped == length {
                true => Ok(()),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
        let header = (&magic[..]).chain(&mut self.source);
        self.decoder.reset(header).map_err(damaged)?;
        self.state = State::Within;
        Ok(())
    }

    fn decode(&mut self) -> io::Result<()> {
        let chunk = BlockDecodingStrategy::UptoBytes(CHUNK_BYTES);
        let decoded = self.decoder.decode_blocks(&mut self.source, chunk);
        decoded.map(drop).map_err(damaged)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.state = State::Between;
        let promised = self.decoder.get_checksum_from_data();
        match promised.is_some() && promised != self.decoder.get_calculated_checksum() {
            true => Err(damaged("a frame's checksum does not hold")),
            false => Ok(()),
        }
    }
}

/// `0x184D2A50` to `0x184D2A5F`, the low byte first.
fn is_skippable(magic: [u8; 4]) -> bool {
    magic[0] & 0xf0 == 0x50 && magic[1..] == [0x2a, 0x4d, 0x18]
}

/// A stream that ends early reads like damage to the decoder; the end of the source says which it is.
fn damaged(error: impl ToString) -> io::Error {
    Fault::Compression(error.to_string()).into()
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                State::Ended => return Ok(0),
                State::Between => self.start()?,
                State::Within => {
                    let read = self.decoder.read(buffer)?;
                    if read > 0 || buffer.is_empty() {
                        return Ok(read);
                    }
                    match self.decoder.is_finished() {
                        true => self.finish()?,
                        false => self.decode()?,
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        decompressed(bytes)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn each_form_is_told_by_its_bytes() {
        let text = b"of a layer ".repeat(50_000);
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let half = text.len() / 2;
        let frames = [zstd(&text[..half]), skippable, zstd(&text[half..])].concat();
        let members = [gzip(&text[..half]), gzip(&text[half..])].concat();
        for bytes in [text.clone(), gzip(&text), zstd(&text), frames, members] {
            assert!(read(&bytes).unwrap() == text);
        }
        assert!(read(b"").unwrap().is_empty());
    }

    #[test]
    fn what_is_cut_off_or_damaged_fails() {
        let text = b"of a layer ".repeat(5_000);
        for whole in [gzip(&text), zstd(&text)] {
            for length in [3, 5, 20, whole.len() / 2, whole.len() - 1] {
                assert!(read(&whole[..length]).is_err(), "{length}");
            }
            let mut damaged = whole.clone();
            let last = damaged.len() - 1;
            damaged[last] ^= 1;
            assert!(read(&damaged).is_err());
        }
    }
}
