//! The blocks of an archive: headers in the ustar form, as GNU tar writes them.

use podlab_sim::SimTime;

/// Everything in an archive comes in blocks of this size.
pub(super) const BLOCK: usize = 512;

/// The block that stands before a member's content.
#[allow(clippy::too_many_arguments)]
pub(super) fn header(
    name: &str,
    mode: u32,
    uid: u32,
    gid: u32,
    size: usize,
    seconds: i64,
    kind: u8,
    link: &str,
) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut field = |at: usize, room: usize, text: &[u8]| {
        let text = text.get(..room).unwrap_or(text);
        if let Some(place) = block.get_mut(at..at + text.len()) {
            place.copy_from_slice(text);
        }
    };
    field(0, 100, name.as_bytes());
    field(100, 8, format!("{mode:07o}\0").as_bytes());
    field(108, 8, format!("{uid:07o}\0").as_bytes());
    field(116, 8, format!("{gid:07o}\0").as_bytes());
    field(124, 12, format!("{size:011o}\0").as_bytes());
    field(136, 12, format!("{:011o}\0", seconds.max(0)).as_bytes());
    field(148, 8, b"        ");
    field(156, 1, &[kind]);
    field(157, 100, link.as_bytes());
    field(257, 8, b"ustar  \0");
    field(265, 32, b"root");
    field(297, 32, b"root");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(place) = block.get_mut(148..156) {
        place.copy_from_slice(format!("{sum:06o}\0 ").get(..8).unwrap_or("0000000 ").as_bytes());
    }
    block
}

/// A member's header, read.
pub(super) struct Member {
    pub name: String,
    pub mode: u32,
    pub size: usize,
    pub mtime: SimTime,
    pub kind: u8,
    pub link: String,
}

/// A field of text.
pub(super) fn text(block: &[u8], at: usize, room: usize) -> String {
    let field = block.get(at..at + room).unwrap_or_default();
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn octal(block: &[u8], at: usize, room: usize) -> Option<u64> {
    let text = text(block, at, room);
    let digits = text.trim_matches(' ');
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// Reads a header; `None` where it is none.
pub(super) fn member(block: &[u8]) -> Option<Member> {
    let prefix = if block.get(257..263) == Some(b"ustar\0") { text(block, 345, 155) } else { String::new() };
    let name = text(block, 0, 100);
    Some(Member {
        name: if prefix.is_empty() { name } else { format!("{prefix}/{name}") },
        mode: u32::try_from(octal(block, 100, 8)?).ok()? & 0o7777,
        size: usize::try_from(octal(block, 124, 12)?).ok()?,
        mtime: SimTime::from_secs(i64::try_from(octal(block, 136, 12)?).ok()?),
        kind: *block.get(156)?,
        link: text(block, 157, 100),
    })
}

/// The name that a PAX header gives the next member.
pub(super) fn pax_path(content: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(content).into_owned();
    text.lines().find_map(|line| line.split_once(" path=")).map(|(_, path)| path.to_owned())
}
