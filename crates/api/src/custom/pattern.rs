//! What Go's regular expressions refuse, in its words.
//!
//! Source: Go's regexp/syntax/parse.go (go1.26).

/// Why a pattern is none; `None` where it is one.
pub(crate) fn error(pattern: &str) -> Option<String> {
    Reader { whole: pattern, at: 0 }
        .check()
        .err()
        .map(|(what, part)| format!("error parsing regexp: {what}: `{part}`"))
}

type Wrong = (&'static str, String);

struct Reader<'a> {
    whole: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.whole.get(self.at..).unwrap_or("")
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.rest().chars().next()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn since(&self, start: usize) -> String {
        self.whole.get(start..self.at).unwrap_or("").to_owned()
    }

    fn check(&mut self) -> Result<(), Wrong> {
        let mut open = 0_usize;
        // What a repetition would repeat; the repetition before, if there is one.
        let mut has_operand = false;
        let mut repeated: Option<usize> = None;
        loop {
            let start = self.at;
            let Some(letter) = self.next() else { break };
            let before = repeated.take();
            match letter {
                '(' => {
                    has_operand = false;
                    if self.rest().starts_with('?') {
                        if self.group(start)? {
                            open += 1;
                        }
                    } else {
                        open += 1;
                    }
                }
                ')' => {
                    if open == 0 {
                        return Err(("unexpected )", self.whole.to_owned()));
                    }
                    open -= 1;
                    has_operand = true;
                }
                '|' => has_operand = false,
                '*' | '+' | '?' => {
                    self.repeat(start, before, has_operand)?;
                    repeated = Some(before.unwrap_or(start));
                }
                '{' => match self.counts(start)? {
                    true => {
                        self.repeat(start, before, has_operand)?;
                        repeated = Some(before.unwrap_or(start));
                    }
                    false => has_operand = true,
                },
                '[' => {
                    self.class(start)?;
                    has_operand = true;
                }
                '\\' => {
                    self.escape(start)?;
                    has_operand = true;
                }
                _ => has_operand = true,
            }
        }
        if open > 0 {
            return Err(("missing closing )", self.whole.to_owned()));
        }
        Ok(())
    }

    fn repeat(&mut self, start: usize, before: Option<usize>, has_operand: bool) -> Result<(), Wrong> {
        if self.rest().starts_with('?') {
            self.at += 1;
        }
        if let Some(before) = before {
            return Err(("invalid nested repetition operator", self.since(before)));
        }
        if !has_operand {
            return Err(("missing argument to repetition operator", self.since(start)));
        }
        Ok(())
    }

    /// Reads `{n,m}`; whether it is one.
    fn counts(&mut self, start: usize) -> Result<bool, Wrong> {
        const MOST: u32 = 1000;
        let Some((inside, _)) = self.rest().split_once('}') else { return Ok(false) };
        let number = |text: &str| match text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty() {
            true => Some(text.parse().unwrap_or(u32::MAX)),
            false => None,
        };
        let (least, most) = match inside.split_once(',') {
            Some((least, "")) => (number(least), number(least)),
            Some((least, most)) => (number(least), number(most)),
            None => (number(inside), number(inside)),
        };
        let (Some(least), Some(most)) = (least, most) else { return Ok(false) };
        self.at += inside.len() + 1;
        if least > MOST || most > MOST || least > most {
            return Err(("invalid repeat count", self.since(start)));
        }
        Ok(true)
    }

    /// Reads what follows `(?`; whether a group begins there.
    fn group(&mut self, start: usize) -> Result<bool, Wrong> {
        let rest = self.rest();
        if let Some(named) = rest.strip_prefix("?P<").or_else(|| rest.strip_prefix("?<")) {
            let Some((name, after)) = named.split_once('>') else {
                return Err(("invalid named capture", self.whole.get(start..).unwrap_or("").to_owned()));
            };
            self.at = self.whole.len() - after.len();
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(("invalid named capture", self.since(start)));
            }
            return Ok(true);
        }
        self.at += 1;
        let (mut negative, mut some) = (false, false);
        loop {
            let Some(letter) = self.next() else { return Err(("missing closing )", self.whole.to_owned())) };
            match letter {
                'i' | 'm' | 's' | 'U' => some = true,
                '-' if !negative => (negative, some) = (true, false),
                ':' | ')' if !negative || some => return Ok(letter == ':'),
                _ => return Err(("invalid or unsupported Perl syntax", self.since(start))),
            }
        }
    }

    fn class(&mut self, start: usize) -> Result<(), Wrong> {
        let missing =
            |reader: &Self| Err(("missing closing ]", reader.whole.get(start..).unwrap_or("").to_owned()));
        if self.rest().starts_with('^') {
            self.at += 1;
        }
        let mut first = true;
        loop {
            let at = self.at;
            if self.rest().starts_with("[:")
                && let Some((name, _)) = self.rest().split_once(":]")
            {
                const NAMES: &str =
                    "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit";
                self.at += name.len() + 2;
                let name = name.trim_start_matches("[:").trim_start_matches('^');
                if !NAMES.split(' ').any(|known| known == name) {
                    return Err(("invalid character class range", self.since(at)));
                }
                first = false;
                continue;
            }
            let Some(letter) = self.next() else { return missing(self) };
            if letter == ']' && !first {
                return Ok(());
            }
            first = false;
            let low = if letter == '\\' { self.escape(at)? } else { Some(letter) };
            let Some(low) = low else { continue };
            if self.rest().starts_with('-') && !self.rest().starts_with("-]") && self.rest().len() > 1 {
                self.at += 1;
                let from = self.at;
                let high = match self.next() {
                    Some('\\') => self.escape(from)?,
                    other => other,
                };
                if high.is_none_or(|high| high < low) {
                    return Err(("invalid character class range", self.since(at)));
                }
            }
        }
    }

    /// Reads what follows a backslash; the letter that it means, if it means one.
    fn escape(&mut self, start: usize) -> Result<Option<char>, Wrong> {
        let Some(letter) = self.next() else {
            return Err(("trailing backslash at end of expression", String::new()));
        };
        Ok(match letter {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'b' | 'B' | 'A' | 'z' | 'C' => None,
            'Q' => {
                let end = self.rest().find("\\E").map_or(self.rest().len(), |end| end + 2);
                self.at += end;
                None
            }
            'p' | 'P' => {
                match self.rest().strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                    Some((name, _)) => self.at += name.len() + 2,
                    None => {
                        self.next();
                    }
                }
                None
            }
            'a' => Some('\u{7}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            'x' => {
                let digits = match self.rest().strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                    Some((digits, _)) => {
                        self.at += digits.len() + 2;
                        digits
                    }
                    None => {
                        let digits = self.rest().get(..2).unwrap_or("");
                        self.at += digits.len();
                        digits
                    }
                };
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                match code {
                    Some(code) => Some(code),
                    None => return Err(("invalid escape sequence", self.since(start))),
                }
            }
            '0'..='7' => {
                let more = self.rest().bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
                if letter != '0' && more == 0 {
                    return Err(("invalid escape sequence", self.since(start)));
                }
                self.at += more;
                u32::from_str_radix(self.since(start).get(1..).unwrap_or(""), 8).ok().and_then(char::from_u32)
            }
            letter if letter.is_ascii_punctuation() => Some(letter),
            _ => return Err(("invalid escape sequence", self.since(start))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::error;

    #[test]
    fn go_refuses_what_it_can_not_read() {
        for (pattern, what) in [
            ("(", "missing closing ): `(`"),
            ("a)", "unexpected ): `a)`"),
            ("[a", "missing closing ]: `[a`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?!a)", "invalid or unsupported Perl syntax: `(?!`"),
            ("*a", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("[z-a]", "invalid character class range: `z-a`"),
            ("\\y", "invalid escape sequence: `\\y`"),
            ("a\\", "trailing backslash at end of expression: ``"),
        ] {
            assert_eq!(
                error(pattern).unwrap_or_default(),
                format!("error parsing regexp: {what}"),
                "{pattern}"
            );
        }
        for pattern in [
            "",
            r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$",
            "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            "(?i)a|(?P<n>b)|(?:c)+?",
            "[]a-]{2,}",
            "[[:alpha:]_]+",
            r"[\w.-]+@\x41\p{L}",
            "a{,2}",
        ] {
            assert_eq!(error(pattern), None, "{pattern}");
        }
    }
}
