//! The order of keys: as a person would sort them, numbers inside by value.

use std::cmp::Ordering;

use super::letters::{is_digit, is_letter};

/// Compares two keys.
/// Source: go.yaml.in/yaml/v2 sorter.go keyList.Less (v2.4.4).
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let left: Vec<char> = a.chars().collect();
    let right: Vec<char> = b.chars().collect();
    for (at, (&x, &y)) in left.iter().zip(&right).enumerate() {
        if x == y {
            continue;
        }
        // Letters come behind all else.
        match (is_letter(x), is_letter(y)) {
            (true, true) => return x.cmp(&y),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        let inside_number = (x == '0' || y == '0')
            && left
                .get(..at)
                .unwrap_or_default()
                .iter()
                .rev()
                .take_while(|&&c| is_digit(c))
                .any(|&c| c != '0');
        let (x_value, x_end) = number(&left, at, inside_number);
        let (y_value, y_end) = number(&right, at, inside_number);
        return x_value.cmp(&y_value).then(x_end.cmp(&y_end)).then(x.cmp(&y));
    }
    left.len().cmp(&right.len())
}

/// The number that starts at `at`, and where it ends; wraps as Go's `int64` does.
fn number(text: &[char], at: usize, inside_number: bool) -> (i64, usize) {
    let mut value = i64::from(inside_number);
    let mut end = at;
    for &c in text.get(at..).unwrap_or_default().iter().take_while(|&&c| is_digit(c)) {
        value = value.wrapping_mul(10).wrapping_add(i64::from(c as u32) - i64::from(b'0'));
        end += 1;
    }
    (value, end)
}
