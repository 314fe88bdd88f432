//! Base64 as Go's encoding/base64 reads it, with its words for what is wrong.

/// The index of a character in the standard alphabet.
fn value_of(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Decodes standard base64; line breaks are skipped.
///
/// # Errors
/// Where the text is broken: the offset that Go reports (`illegal base64 data at input byte N`).
/// Source: src/encoding/base64/base64.go decodeQuantum (go1.26).
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let src = text.as_bytes();
    let at = |i: usize| src.get(i).copied();
    let is_break = |i: usize| matches!(at(i), Some(b'\n' | b'\r'));
    let mut out = Vec::with_capacity(src.len() / 4 * 3);
    let mut si = 0;
    while si < src.len() {
        let mut quantum = [0u8; 4];
        let mut length = 4;
        let mut j = 0;
        while j < 4 {
            let Some(byte) = at(si) else {
                if j == 0 {
                    return Ok(out);
                }
                return Err(si - j);
            };
            si += 1;
            if let (Some(value), Some(slot)) = (value_of(byte), quantum.get_mut(j)) {
                *slot = value;
                j += 1;
                continue;
            }
            if byte == b'\n' || byte == b'\r' {
                continue;
            }
            if byte != b'=' || j < 2 {
                return Err(si - 1);
            }
            if j == 2 {
                while is_break(si) {
                    si += 1;
                }
                match at(si) {
                    None => return Err(src.len()),
                    Some(b'=') => si += 1,
                    Some(_) => return Err(si - 1),
                }
            }
            while is_break(si) {
                si += 1;
            }
            if si < src.len() {
                return Err(si);
            }
            length = j;
            break;
        }
        let [a, b, c, d] = quantum;
        let bytes = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        out.extend(bytes.iter().take(length - 1));
    }
    Ok(out)
}

/// Encodes to standard base64 with padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |i: u8| ALPHABET.get(usize::from(i & 63)).map_or('A', |b| char::from(*b));
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let (a, b, c) = (
            chunk.first().copied().unwrap_or(0),
            chunk.get(1).copied().unwrap_or(0),
            chunk.get(2).copied().unwrap_or(0),
        );
        out.push(letter(a >> 2));
        out.push(letter(a << 4 | b >> 4));
        out.push(if chunk.len() > 1 { letter(b << 2 | c >> 6) } else { '=' });
        out.push(if chunk.len() > 2 { letter(c) } else { '=' });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_decodes() {
        for length in 0..20 {
            let bytes: Vec<u8> = (0..length).map(|i: u8| i.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }
    }

    #[test]
    fn offsets_are_those_of_go() {
        assert_eq!(decode("abc"), Err(0));
        assert_eq!(decode("abcdab"), Err(4));
        assert_eq!(decode("pass-word"), Err(4));
        assert_eq!(decode("YQ=="), Ok(b"a".to_vec()));
        assert_eq!(decode("YQ="), Err(3));
        assert_eq!(decode("YQ==x"), Err(4));
        assert_eq!(decode("YWJj\nYQ=="), Ok(b"abca".to_vec()));
    }
}
