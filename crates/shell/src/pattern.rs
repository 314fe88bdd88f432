//! Shell patterns: `*`, `?`, `[…]`, with backslashes before quoted characters.

/// Escapes what a pattern would take as special.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "*?[]\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Whether the whole of `text` matches.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let p: Vec<char> = pattern.chars().collect();
    let t: Vec<char> = text.chars().collect();
    matches_chars(&p, &t)
}

/// As [`matches`] on characters: linear but for going back to the last star.
pub(crate) fn matches_chars(p: &[char], t: &[char]) -> bool {
    let (mut pi, mut ti) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match p.get(pi) {
            Some('*') => {
                star = Some((pi + 1, ti));
                pi += 1;
                continue;
            }
            None if ti == t.len() => return true,
            None => None,
            Some(c) => match t.get(ti) {
                None => None,
                Some(&tc) => match c {
                    '?' => Some(1),
                    '[' => match bracket(p, pi, tc) {
                        Some((true, len)) => Some(len),
                        Some((false, _)) => None,
                        None => (tc == '[').then_some(1),
                    },
                    '\\' => match p.get(pi + 1) {
                        Some(e) => (*e == tc).then_some(2),
                        None => (tc == '\\').then_some(1),
                    },
                    c => (*c == tc).then_some(1),
                },
            },
        };
        match (step, star) {
            (Some(n), _) => {
                pi += n;
                ti += 1;
            }
            (None, Some((sp, st))) if st < t.len() => {
                star = Some((sp, st + 1));
                pi = sp;
                ti = st + 1;
            }
            _ => return false,
        }
    }
}

/// Matches `[…]` at `start`: whether it takes `c` and its length; `None` where it does not close.
pub(crate) fn bracket(p: &[char], start: usize, c: char) -> Option<(bool, usize)> {
    let mut i = start + 1;
    let negate = matches!(p.get(i), Some('!' | '^'));
    if negate {
        i += 1;
    }
    let first = i;
    let mut hit = false;
    loop {
        let ch = *p.get(i)?;
        if ch == ']' && i > first {
            return Some((hit != negate, i + 1 - start));
        }
        if ch == '[' && p.get(i + 1) == Some(&':') {
            let rest = p.get(i + 2..)?;
            if let Some(end) = rest.windows(2).position(|w| w == [':', ']']) {
                let name: String = rest.get(..end)?.iter().collect();
                hit |= class(&name, c);
                i += end + 4;
                continue;
            }
        }
        let low = if ch == '\\' {
            i += 1;
            *p.get(i)?
        } else {
            ch
        };
        if p.get(i + 1) == Some(&'-') && p.get(i + 2).is_some_and(|h| *h != ']') {
            let mut high = *p.get(i + 2)?;
            i += 3;
            if high == '\\' {
                high = *p.get(i)?;
                i += 1;
            }
            hit |= low <= c && c <= high;
        } else {
            hit |= low == c;
            i += 1;
        }
    }
}

/// Whether the character is of a class such as `digit`.
pub(crate) fn class(name: &str, c: char) -> bool {
    match name {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_ascii_whitespace() || c == '\x0b',
        "blank" => c == ' ' || c == '\t',
        "punct" => c.is_ascii_punctuation(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && c != ' ',
        "cntrl" => c.is_control(),
        "xdigit" => c.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (p, t, want) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt2", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[[:digit:]]*", "7up", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*a*b*c*", "xxaxxbxxcxx", true),
            ("", "", true),
            ("[", "[", true),
        ] {
            assert_eq!(matches(p, t), want, "{p} {t}");
        }
    }
}
