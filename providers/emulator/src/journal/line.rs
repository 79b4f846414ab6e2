//! The lines of a state file: checksum, space, JSON.
//!
//! The first line says what the file is; every other is a list of entries that were written together. The last line may
//! be cut short, by a process that was killed while it wrote: nobody was told of what is in it, and it is dropped. Any
//! other damage is not ours to repair.

use crate::snapshot::{Entry, Snapshot};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "gce-emulator-state";

/// The version this program writes, and the only one it reads.
const VERSION: u32 = 1;

/// Eight digits and a space.
const CHECKSUM: usize = 9;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) snapshot: Snapshot,
    /// How many bytes of the file are good; the rest is a line that was cut short.
    pub(super) valid: usize,
}

/// Why a state file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(
        "it is no state file of the emulator, or its beginning is damaged; give another file with --state, or take it \
         away to begin with nothing"
    )]
    Foreign,
    #[error(
        "it is of version {version}, and this program reads version {VERSION}; open it with the program that wrote it, \
         or give another file with --state"
    )]
    Version { version: u32 },
    #[error(
        "line {line} is damaged, at byte {at}, and good lines follow it; bring back a copy of the file, or keep what \
         stands before the damage with 'head -c {at}' and lose the rest"
    )]
    Damaged { line: usize, at: usize },
    #[error(
        "line {line}, at byte {at}, is whole but not understood ({source}); another version of the program has written \
         it: use that one"
    )]
    Unknown {
        line: usize,
        at: usize,
        #[source]
        source: serde_json::Error,
    },
}

/// The first line.
pub(super) fn header() -> Vec<u8> {
    line(&Header { format: FORMAT.to_owned(), version: VERSION })
}

/// One line with what was changed together.
pub(super) fn print(entries: &[Entry]) -> Vec<u8> {
    line(entries)
}

fn line(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    let json =
        serde_json::to_string(value).expect("records have text for keys, and nothing in them can fail");
    format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())).into_bytes()
}

/// Reads a whole file.
pub(super) fn read(bytes: &[u8]) -> Result<Read, ReadError> {
    let mut snapshot = Snapshot::default();
    let mut at = 0;
    let mut number = 0;
    while at < bytes.len() {
        number += 1;
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n');
        let json = length.and_then(|length| content(rest.get(..length)?));
        let Some((length, json)) = length.zip(json) else {
            let is_last = length.is_none_or(|length| at + length + 1 >= bytes.len());
            return match number {
                1 => Err(ReadError::Foreign),
                _ if is_last => Ok(Read { snapshot, valid: at }),
                line => Err(ReadError::Damaged { line, at }),
            };
        };
        if number == 1 {
            let header: Header = serde_json::from_slice(json).map_err(|_| ReadError::Foreign)?;
            if header.format != FORMAT {
                return Err(ReadError::Foreign);
            }
            if header.version != VERSION {
                return Err(ReadError::Version { version: header.version });
            }
        } else {
            let entries: Vec<Entry> = serde_json::from_slice(json).map_err(|source| ReadError::Unknown {
                line: number,
                at,
                source,
            })?;
            for entry in entries {
                snapshot.apply(entry);
            }
        }
        at += length + 1;
    }
    if number == 0 { Err(ReadError::Foreign) } else { Ok(Read { snapshot, valid: at }) }
}

/// What a line says, if its checksum is right.
fn content(line: &[u8]) -> Option<&[u8]> {
    let (checksum, json) = line.split_at_checked(CHECKSUM)?;
    let checksum = std::str::from_utf8(checksum).ok()?.strip_suffix(' ')?;
    let expected = format!("{:08x}", crc32fast::hash(json));
    (checksum == expected).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(name: &str) -> Entry {
        serde_json::from_value(json!({
            "project": { "id": name, "is": { "number": "5", "created": "2026-01-01T00:00:00.123456789Z" } },
        }))
        .unwrap()
    }

    fn file() -> Vec<u8> {
        let mut file = header();
        file.extend(print(&[entry("first"), entry("second")]));
        file.extend(print(&[entry("third")]));
        file
    }

    fn projects(read: Read) -> usize {
        read.snapshot.into_entries().count()
    }

    #[test]
    fn a_file_cut_short_anywhere_in_its_last_line_is_read_up_to_there() {
        let whole = file();
        assert_eq!(read(&whole).map(projects).unwrap(), 3);
        let last = whole.len() - print(&[entry("third")]).len();
        for end in last..whole.len() {
            let read = read(&whole[..end]).unwrap();
            assert_eq!(read.valid, last, "cut at {end}");
            assert_eq!(projects(read), 2, "cut at {end}");
        }
    }

    #[test]
    fn damage_before_the_last_line_is_told_with_its_place() {
        let whole = file();
        let (second, third) = (header().len(), whole.len() - print(&[entry("third")]).len());
        for at in 0..third - 1 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            match read(&damaged) {
                Err(ReadError::Foreign) if at < second => {}
                // Two lines have become one by the loss of the end of the first.
                Err(ReadError::Damaged { line: 2, at: said }) => assert_eq!(said, second),
                other => panic!("a flipped bit at {at}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_line_of_a_later_time_and_a_file_of_a_later_version_are_told_apart_from_damage() {
        let mut file = header();
        file.extend(line(&json!([{ "galaxy": {} }])));
        file.extend(print(&[entry("third")]));
        assert!(matches!(read(&file), Err(ReadError::Unknown { line: 2, .. })));
        let newer = line(&json!({ "format": FORMAT, "version": 2, "more": true }));
        assert!(matches!(read(&newer), Err(ReadError::Version { version: 2 })));
        for foreign in [&b""[..], b"\n", b"hello\n", b"hello", b"\xff\xfe\n00000000 {}\n"] {
            assert!(matches!(read(foreign), Err(ReadError::Foreign)), "{foreign:?}");
        }
    }
}
