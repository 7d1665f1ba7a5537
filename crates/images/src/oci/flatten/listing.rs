//! The form in which a tree goes from the child to its parent: a folder, what is in it, its end.
//!
//! The parent reads it as bytes that anybody may have written: lengths are two bytes, names are held against the rules of names,
//! folders against the bound on depth.

use crate::oci::flatten::plan::Flattened;
use crate::oci::layer::change::{Attributes, Inode, Special};
use crate::oci::tree::{Folder, Node};
use std::io::{self, Read, Write};
use std::rc::Rc;

const SETUID_OR_SETGID: u32 = 0o6000;

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// The root's mode comes with an empty name.
    Enter {
        name: Vec<u8>,
        mode: u16,
    },
    Leave,
    File {
        name: Vec<u8>,
        mode: u16,
        number: u32,
        content: Content,
    },
    Symlink {
        name: Vec<u8>,
        target: Vec<u8>,
    },
}

/// How a file comes by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// It has none.
    Empty,
    /// It is the only one of its number.
    Own,
    /// Others are the same file.
    Shared,
}

impl Item {
    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let text = |to: &mut dyn Write, text: &[u8]| {
            let length = u16::try_from(text.len()).map_err(io::Error::other)?;
            to.write_all(&length.to_le_bytes())?;
            to.write_all(text)
        };
        match self {
            Item::Leave => to.write_all(b"L"),
            Item::Enter { name, mode } => {
                to.write_all(b"E")?;
                to.write_all(&mode.to_le_bytes())?;
                text(to, name)
            }
            Item::File {
                name,
                mode,
                number,
                content,
            } => {
                to.write_all(match content {
                    Content::Empty => b"0",
                    Content::Own => b"F",
                    Content::Shared => b"H",
                })?;
                to.write_all(&mode.to_le_bytes())?;
                to.write_all(&number.to_le_bytes())?;
                text(to, name)
            }
            Item::Symlink { name, target } => {
                to.write_all(b"S")?;
                text(to, name)?;
                text(to, target)
            }
        }
    }

    pub(crate) fn read(from: &mut impl Read) -> io::Result<Item> {
        let [tag] = array(from)?;
        Ok(match tag {
            b'L' => Item::Leave,
            b'E' => Item::Enter {
                mode: u16::from_le_bytes(array(from)?),
                name: text(from)?,
            },
            b'S' => Item::Symlink {
                name: text(from)?,
                target: text(from)?,
            },
            b'0' | b'F' | b'H' => Item::File {
                mode: u16::from_le_bytes(array(from)?),
                number: u32::from_le_bytes(array(from)?),
                name: text(from)?,
                content: match tag {
                    b'0' => Content::Empty,
                    b'F' => Content::Own,
                    _ => Content::Shared,
                },
            },
            other => {
                let what = format!("a listing has no items of kind {other}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        })
    }
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn text(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut text = vec![0; usize::from(u16::from_le_bytes(array(from)?))];
    from.read_exact(&mut text)?;
    Ok(text)
}

/// Writes a tree down, and counts what of it is left behind.
pub(crate) fn write(root: &Folder, to: &mut impl Write) -> io::Result<Flattened> {
    let mut writer = Writer {
        to,
        sum: Flattened::default(),
    };
    writer.folder(b"", root)?;
    Ok(writer.sum)
}

struct Writer<'a, W> {
    to: &'a mut W,
    sum: Flattened,
}

impl<W: Write> Writer<'_, W> {
    /// No deeper than the tree, whose depth is bounded.
    fn folder(&mut self, name: &[u8], folder: &Folder) -> io::Result<()> {
        let enter = Item::Enter {
            name: name.to_vec(),
            mode: self.mode(folder.attributes),
        };
        enter.write(self.to)?;
        for (name, node) in &folder.children {
            self.node(name, node)?;
        }
        Item::Leave.write(self.to)
    }

    fn node(&mut self, name: &[u8], node: &Node) -> io::Result<()> {
        self.sum.files += 1;
        match node {
            Node::Folder(folder) => self.folder(name, folder),
            Node::File(inode) => self.file(name, inode),
            Node::Symlink(target) => {
                let (name, target) = (name.to_vec(), target.to_vec());
                Item::Symlink { name, target }.write(self.to)
            }
            Node::Special(special) => {
                self.sum.files -= 1;
                match special {
                    Special::Device => self.sum.dropped.devices += 1,
                    Special::Fifo => self.sum.dropped.fifos += 1,
                }
                Ok(())
            }
        }
    }

    fn file(&mut self, name: &[u8], inode: &Rc<Inode>) -> io::Result<()> {
        let names = Rc::strong_count(inode) as u64;
        // Shared files are counted at each name: by their share, rounded down.
        self.sum.bytes += inode.size / names.max(1);
        let file = Item::File {
            name: name.to_vec(),
            mode: self.mode(inode.attributes),
            number: inode.number,
            content: match (inode.size, names) {
                (0, _) => Content::Empty,
                (_, 1) => Content::Own,
                _ => Content::Shared,
            },
        };
        file.write(self.to)
    }

    fn mode(&mut self, attributes: Attributes) -> u16 {
        let Attributes {
            mode,
            xattrs,
            capabilities,
        } = attributes;
        let dropped = &mut self.sum.dropped;
        dropped.xattrs += u64::from(xattrs);
        dropped.capabilities += u64::from(capabilities);
        dropped.setuid += u64::from(mode & SETUID_OR_SETGID != 0);
        // Twelve bits.
        (mode & 0o7777) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_as_they_were_written() {
        let name = b"a\n\xff".to_vec();
        let items = [
            Item::Enter {
                name: Vec::new(),
                mode: 0o1777,
            },
            Item::File {
                name: name.clone(),
                mode: 0o644,
                number: 70_000,
                content: Content::Shared,
            },
            Item::Symlink {
                name,
                target: vec![b'x'; 4095],
            },
            Item::Leave,
        ];
        let mut bytes = Vec::new();
        for item in &items {
            item.write(&mut bytes).unwrap();
        }
        let mut from = &bytes[..];
        for item in items {
            assert_eq!(Item::read(&mut from).unwrap(), item);
        }
        assert!(Item::read(&mut from).is_err());
        assert!(Item::read(&mut &b"X"[..]).is_err());
    }
}
