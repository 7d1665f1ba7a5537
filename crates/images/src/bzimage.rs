//! Takes `vmlinux` out of a bzImage: firmware-less VMMs want the ELF file with its PVH note.
//!
//! The setup header (`Documentation/x86/boot.rst`) says where the compressed payload lies; its first
//! bytes say how it is compressed.

use goblin::elf::Elf;
use std::io::{self, Read};

const SETUP_SECTS: usize = 0x1f1;
const HEADER_MAGIC: usize = 0x202;
const HEADER_VERSION: usize = 0x206;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;
/// Boot protocol 2.08 is the first whose header tells of the payload.
const FIRST_VERSION: u16 = 0x0208;
/// Four times what a Debian kernel has; bounds what a damaged payload can make us allocate.
const MAX_VMLINUX_BYTES: u64 = 256 * 1024 * 1024;
/// Linux compresses in independent blocks of this size when it uses LZ4's legacy frame.
const LZ4_BLOCK_BYTES: usize = 8 * 1024 * 1024;
/// `XEN_ELFNOTE_PHYS32_ENTRY`: the 32-bit entry point of the PVH boot protocol.
const PVH_NOTE: u32 = 18;

/// Why no kernel came out.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// Too short for its own header, or without the header's magic.
    #[error("not a bzImage: {0}")]
    NotABzImage(&'static str),
    /// No known compression starts so.
    #[error("the payload starts with {0:02x?}: neither lz4, xz, zstd nor an ELF file")]
    UnknownCompression([u8; 4]),
    /// The payload's compression is broken.
    #[error("the payload cannot be decompressed")]
    Decompress(#[source] io::Error),
    /// What came out is not a kernel that a VMM can start.
    #[error("the payload is not a bootable vmlinux: {0}")]
    NotVmlinux(String),
}

/// The ELF kernel in a bzImage.
pub(crate) fn vmlinux(bzimage: &[u8]) -> Result<Vec<u8>, KernelError> {
    let vmlinux = decompress(payload(bzimage)?)?;
    check(&vmlinux)?;
    Ok(vmlinux)
}

fn payload(image: &[u8]) -> Result<&[u8], KernelError> {
    let short = KernelError::NotABzImage("it ends before its header does");
    if image.get(HEADER_MAGIC..HEADER_MAGIC + 4).ok_or(short)? != b"HdrS" {
        return Err(KernelError::NotABzImage("no 'HdrS' at 0x202"));
    }
    let version = u16_at(image, HEADER_VERSION)?;
    if version < FIRST_VERSION {
        return Err(KernelError::NotABzImage(
            "its boot protocol is older than 2.08",
        ));
    }
    // Zero means four, for very old boot loaders.
    let setup_sectors = match image[SETUP_SECTS] {
        0 => 4,
        sectors => usize::from(sectors),
    };
    let start = (setup_sectors + 1) * 512;
    let offset = u32_at(image, PAYLOAD_OFFSET)? as usize;
    let length = u32_at(image, PAYLOAD_LENGTH)? as usize;
    start
        .checked_add(offset)
        .and_then(|from| Some(from..from.checked_add(length)?))
        .and_then(|range| image.get(range))
        .ok_or(KernelError::NotABzImage(
            "its payload lies outside the file",
        ))
}

fn u16_at(image: &[u8], at: usize) -> Result<u16, KernelError> {
    let bytes = image.get(at..).and_then(<[u8]>::first_chunk);
    bytes
        .map(|bytes| u16::from_le_bytes(*bytes))
        .ok_or(KernelError::NotABzImage("it ends before its header does"))
}

fn u32_at(image: &[u8], at: usize) -> Result<u32, KernelError> {
    let bytes = image.get(at..).and_then(<[u8]>::first_chunk);
    bytes
        .map(|bytes| u32::from_le_bytes(*bytes))
        .ok_or(KernelError::NotABzImage("it ends before its header does"))
}

fn decompress(payload: &[u8]) -> Result<Vec<u8>, KernelError> {
    let magic: [u8; 4] = *payload
        .first_chunk()
        .ok_or(KernelError::NotABzImage("its payload is empty"))?;
    match magic {
        [0x02, 0x21, 0x4c, 0x18] => lz4_legacy(&payload[4..]),
        [0xfd, b'7', b'z', b'X'] => bounded(lzma_rust2::XzReader::new(payload, false)),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(payload)
                .map_err(|error| KernelError::Decompress(io::Error::other(error.to_string())))?;
            bounded(decoder)
        }
        [0x7f, b'E', b'L', b'F'] => Ok(payload.to_vec()),
        other => Err(KernelError::UnknownCompression(other)),
    }
}

fn bounded(reader: impl Read) -> Result<Vec<u8>, KernelError> {
    let mut bytes = Vec::new();
    let read = reader
        .take(MAX_VMLINUX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(KernelError::Decompress)?;
    if read as u64 > MAX_VMLINUX_BYTES {
        return Err(KernelError::NotVmlinux(format!(
            "it has more than {MAX_VMLINUX_BYTES} bytes"
        )));
    }
    Ok(bytes)
}

/// Blocks of a little-endian length and an LZ4 block each. Linux appends the length of the whole,
/// which is the last word here: no block follows it.
fn lz4_legacy(mut rest: &[u8]) -> Result<Vec<u8>, KernelError> {
    let mut vmlinux = Vec::new();
    let mut block = vec![0; LZ4_BLOCK_BYTES];
    while rest.len() > 4 {
        let length = u32_at(rest, 0)? as usize;
        let compressed = rest.get(4..4 + length).ok_or(KernelError::NotABzImage(
            "an LZ4 block lies outside the payload",
        ))?;
        let size = lz4_flex::block::decompress_into(compressed, &mut block)
            .map_err(|error| KernelError::Decompress(io::Error::other(error)))?;
        vmlinux.extend_from_slice(&block[..size]);
        if vmlinux.len() as u64 > MAX_VMLINUX_BYTES {
            return Err(KernelError::NotVmlinux(format!(
                "it has more than {MAX_VMLINUX_BYTES} bytes"
            )));
        }
        rest = &rest[4 + length..];
    }
    if u32_at(rest, 0).is_ok_and(|expected| expected as usize == vmlinux.len()) {
        return Ok(vmlinux);
    }
    Err(KernelError::NotVmlinux(
        "its size is not the one that the payload ends with".to_owned(),
    ))
}

fn check(vmlinux: &[u8]) -> Result<(), KernelError> {
    let wrong = |what: &str| KernelError::NotVmlinux(what.to_owned());
    let elf = Elf::parse(vmlinux).map_err(|error| KernelError::NotVmlinux(error.to_string()))?;
    if !elf.is_64 || elf.header.e_machine != goblin::elf::header::EM_X86_64 {
        return Err(wrong("it is not for x86-64"));
    }
    let mut notes = elf
        .iter_note_headers(vmlinux)
        .into_iter()
        .flatten()
        .flatten();
    if !notes.any(|note| note.n_type == PVH_NOTE && note.name.trim_end_matches('\0') == "Xen") {
        return Err(wrong("it has no PVH entry point (CONFIG_PVH)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bzimage(payload: &[u8]) -> Vec<u8> {
        let mut image = vec![0; 5 * 512 + 16];
        image[SETUP_SECTS] = 4;
        image[HEADER_MAGIC..HEADER_MAGIC + 4].copy_from_slice(b"HdrS");
        image[HEADER_VERSION..HEADER_VERSION + 2].copy_from_slice(&0x020f_u16.to_le_bytes());
        image[PAYLOAD_OFFSET..PAYLOAD_OFFSET + 4].copy_from_slice(&16_u32.to_le_bytes());
        let length = u32::try_from(payload.len()).unwrap();
        image[PAYLOAD_LENGTH..PAYLOAD_LENGTH + 4].copy_from_slice(&length.to_le_bytes());
        image.extend_from_slice(payload);
        image.extend_from_slice(b"what follows is not the payload");
        image
    }

    fn lz4(data: &[u8]) -> Vec<u8> {
        let mut payload = vec![0x02, 0x21, 0x4c, 0x18];
        for block in data.chunks(1000) {
            let compressed = lz4_flex::block::compress(block);
            payload.extend_from_slice(&u32::try_from(compressed.len()).unwrap().to_le_bytes());
            payload.extend_from_slice(&compressed);
        }
        payload.extend_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
        payload
    }

    #[test]
    fn the_payload_is_found_and_decompressed() {
        let data: Vec<u8> = (0..5000_u32).flat_map(u32::to_le_bytes).collect();
        let image = bzimage(&lz4(&data));
        assert_eq!(decompress(payload(&image).unwrap()).unwrap(), data);
    }

    #[test]
    fn a_payload_that_is_no_kernel_is_refused() {
        let error = vmlinux(&bzimage(&lz4(b"not an ELF file"))).unwrap_err();
        assert!(matches!(error, KernelError::NotVmlinux(_)), "{error}");
        let error = vmlinux(&bzimage(b"\x1f\x8b\x08\x00gzip")).unwrap_err();
        assert!(
            matches!(error, KernelError::UnknownCompression(_)),
            "{error}"
        );
        // A program of this machine is an ELF file, but nothing that a VMM can boot.
        let program = std::fs::read("/proc/self/exe").unwrap();
        let error = vmlinux(&bzimage(&program)).unwrap_err();
        assert!(error.to_string().contains("PVH"), "{error}");
    }

    #[test]
    fn a_wrong_length_at_the_end_is_noticed() {
        let mut payload = lz4(b"some data");
        *payload.last_mut().unwrap() ^= 1;
        assert!(matches!(
            decompress(&payload),
            Err(KernelError::NotVmlinux(_))
        ));
    }

    #[test]
    fn a_header_that_points_outside_is_refused() {
        for (at, value) in [(PAYLOAD_OFFSET, u32::MAX), (PAYLOAD_LENGTH, u32::MAX)] {
            let mut image = bzimage(b"\x7fELF");
            image[at..at + 4].copy_from_slice(&value.to_le_bytes());
            assert!(matches!(payload(&image), Err(KernelError::NotABzImage(_))));
        }
        let image = bzimage(b"\x7fELF");
        for length in 0..0x250 {
            assert!(vmlinux(&image[..length]).is_err(), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300), magic in 0..4_usize
        ) {
            let magics: [&[u8]; 4] =
                [b"\x02\x21\x4c\x18", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x7fELF\x02\x01\x01"];
            let mut payload = magics[magic].to_vec();
            payload.extend_from_slice(&bytes);
            prop_assert!(vmlinux(&bzimage(&payload)).is_err());
        }
    }
}
