//! The options of a sub-command, as Go's pflag takes them.

use std::collections::BTreeMap;

/// Options by name: `--port=80` and `--port 80` are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Flags {
    values: BTreeMap<String, String>,
}

impl Flags {
    /// Reads arguments; what is no option is left out.
    pub(super) fn parse(args: &[String]) -> Flags {
        let mut values = BTreeMap::new();
        let mut words = args.iter().peekable();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else { continue };
            match name.split_once('=') {
                Some((name, value)) => values.insert(name.to_owned(), value.to_owned()),
                None => {
                    let value = words.next_if(|next| !next.starts_with("--")).cloned();
                    values.insert(name.to_owned(), value.unwrap_or_else(|| "true".to_owned()))
                }
            };
        }
        Flags { values }
    }

    /// The text of an option; nothing where it is not given or empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A number; nothing where it is not given or none.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// A duration as Go reads it (`1m30s`, `500ms`), in nanoseconds; nothing where it is not given or none.
    pub(super) fn duration(&self, name: &str) -> Option<i64> {
        let mut rest = self.text(name)?;
        let mut nanos = 0_i64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let (number, after) = rest.split_at(digits);
            let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at(letters);
            let unit = match unit {
                "ns" => 1,
                "us" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                _ => return None,
            };
            nanos = nanos.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
            rest = after;
        }
        Some(nanos)
    }

    /// A port, or the one that is used otherwise.
    pub(super) fn port(&self, name: &str, otherwise: u16) -> u16 {
        self.number(name).and_then(|port| u16::try_from(port).ok()).unwrap_or(otherwise)
    }

    /// A boolean, or what holds otherwise.
    pub(super) fn truth(&self, name: &str, otherwise: bool) -> bool {
        match self.text(name) {
            Some("true" | "1" | "t") => true,
            Some("false" | "0" | "f") => false,
            _ => otherwise,
        }
    }
}
