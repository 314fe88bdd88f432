//! What the editor knows about a manifest: the field at a place, what could stand there, what is wrong.

mod complete;
mod explain;
mod fields;
mod outline;
mod problems;

pub use complete::{complete, hover};
pub use explain::describe_type;
pub use fields::{FieldAt, field_at};
pub use problems::{Check, Finding, Level, findings};

/// UTF-16 code units before a byte offset, as the editor counts.
pub fn utf16(text: &str, byte: usize) -> u32 {
    let end = text.floor_char_boundary(byte.min(text.len()));
    u32::try_from(text[..end].encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The byte offset of a UTF-16 offset.
pub fn byte(text: &str, utf16: u32) -> usize {
    let mut units = 0u32;
    for (at, c) in text.char_indices() {
        if units >= utf16 {
            return at;
        }
        units += if c.len_utf16() == 2 { 2 } else { 1 };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_the_editor_counts() {
        let text = "a: 한🐳b";
        assert_eq!(utf16(text, text.len()), 7);
        assert_eq!(byte(text, 6), text.len() - 1);
        for units in 0..=7 {
            assert!(text.is_char_boundary(byte(text, units)));
        }
    }
}
