//! Text broken into lines as kubectl's terminal writer breaks it.
//!
//! Source: k8s.io/kubectl/pkg/util/term NewWordWrapWriter, which uses github.com/mitchellh/go-wordwrap.

/// Breaks lines at spaces so that they hold at most `limit` letters; longer words stay whole, line feeds too.
pub(super) fn wrap(limit: usize, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / limit.max(1));
    let (mut line, mut spaces, mut word) = (0, String::new(), String::new());
    let length = |s: &str| s.chars().count();
    for letter in text.chars() {
        if letter == '\n' {
            // Space at the end of a line stays where it fits.
            if !word.is_empty() || line + length(&spaces) <= limit {
                out.push_str(&spaces);
            }
            out.push_str(&word);
            spaces.clear();
            word.clear();
            out.push('\n');
            line = 0;
        } else if letter.is_whitespace() && letter != '\u{a0}' {
            if spaces.is_empty() || !word.is_empty() {
                line += length(&spaces) + length(&word);
                out.push_str(&spaces);
                out.push_str(&word);
                spaces.clear();
                word.clear();
            }
            spaces.push(letter);
        } else {
            word.push(letter);
            if line + length(&spaces) + length(&word) > limit && length(&word) < limit {
                out.push('\n');
                line = 0;
                spaces.clear();
            }
        }
    }
    if !word.is_empty() || line + length(&spaces) <= limit {
        out.push_str(&spaces);
    }
    out.push_str(&word);
    out
}

/// Puts a margin before every line, empty ones too.
pub(super) fn indent(margin: usize, text: &str) -> String {
    let pad = " ".repeat(margin);
    format!("{pad}{}", text.replace('\n', &format!("\n{pad}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_stay_whole() {
        assert_eq!(wrap(10, "one two three four"), "one two\nthree four");
        assert_eq!(wrap(5, "https://example.org/long a"), "https://example.org/long\na");
        assert_eq!(wrap(8, "a\n\n - b c d e f"), "a\n\n - b c d\ne f");
        assert_eq!(indent(2, "a\n\nb"), "  a\n  \n  b");
    }
}
