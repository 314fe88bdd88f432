//! Kubernetes' descriptions of types, fields and values of enumerations: what hover and `kubectl explain` show.
//!
//! The text is large (`data/descriptions.txt`), so a page loads it apart and hands it over with [`install`]; everywhere
//! else it is compiled in.

use std::sync::OnceLock;

/// The descriptions, ready to be asked.
///
/// The text has a line `#TYPE description` for each struct, followed by a line `FIELD description` for each of its
/// fields, and a line `=TYPE` for each enumeration, followed by `VALUE description`. Line feeds within a description are
/// written `\n`, backslashes `\\`.
#[derive(Clone, Debug, Default)]
pub struct Descriptions {
    text: String,
    /// (type, where its own line begins, where its last line ends), sorted by type.
    types: Vec<(String, usize, usize)>,
}

impl Descriptions {
    /// Reads the text.
    pub fn new(text: String) -> Descriptions {
        let mut types: Vec<(String, usize, usize)> = Vec::new();
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            if let Some(rest) = line.strip_prefix(['#', '=']) {
                if let Some(last) = types.last_mut() {
                    last.2 = offset;
                }
                let name = rest.split([' ', '\n']).next().unwrap_or_default();
                types.push((name.to_owned(), offset, text.len()));
            }
            offset += line.len();
        }
        types.sort();
        Descriptions { text, types }
    }

    /// The lines of a type, its own first.
    fn lines(&self, ty: &str) -> Option<std::str::Lines<'_>> {
        let found = self.types.binary_search_by(|(name, ..)| name.as_str().cmp(ty)).ok()?;
        let (_, start, end) = *self.types.get(found)?;
        Some(self.text.get(start..end)?.lines())
    }

    /// A type's description, by its full name (`core/v1.Container`).
    pub fn of_type(&self, ty: &str) -> Option<String> {
        let (_, text) = self.lines(ty)?.next()?.split_once(' ')?;
        Some(plain(text))
    }

    /// A field's description, or that of an enumeration's value.
    pub fn of_member(&self, ty: &str, member: &str) -> Option<String> {
        let line = self.lines(ty)?.skip(1).find_map(|line| line.strip_prefix(member)?.strip_prefix(' '))?;
        Some(plain(line))
    }

    /// A field's description, by `TYPE.FIELD`.
    pub fn field(&self, key: &str) -> Option<String> {
        let (ty, field) = key.rsplit_once('.')?;
        self.of_member(ty, field)
    }

    /// The first sentence of a field's description.
    pub fn sentence(&self, key: &str) -> Option<String> {
        let text = self.field(key)?;
        let first = text.split("\n\n").next().unwrap_or(&text).replace('\n', " ");
        let end = first.find(". ").map_or(first.len(), |i| i + 1);
        Some(first.get(..end).unwrap_or(&first).to_owned())
    }
}

/// Takes the marks of line feeds and backslashes back.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            },
            letter => letter,
        });
    }
    out
}

static DESCRIPTIONS: OnceLock<Descriptions> = OnceLock::new();

/// Hands the descriptions over; the first call counts.
pub fn install(text: String) {
    let _ = DESCRIPTIONS.set(Descriptions::new(text));
}

/// The descriptions; `None` in a page that has not loaded them yet.
pub fn get() -> Option<&'static Descriptions> {
    #[cfg(target_family = "wasm")]
    return DESCRIPTIONS.get();
    #[cfg(not(target_family = "wasm"))]
    Some(DESCRIPTIONS.get_or_init(|| Descriptions::new(include_str!("../data/descriptions.txt").to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_found_by_type_and_member() {
        let all = Descriptions::new(
            "#a/v1.B About B.\nfield One. Two.\\n\\nThree.\nfields Many\n=a/v1.E\nx a \\\\n\n#a/v1.C\nx y\n"
                .to_owned(),
        );
        assert_eq!(all.of_type("a/v1.B").as_deref(), Some("About B."));
        assert_eq!(all.of_type("a/v1.C"), None);
        assert_eq!(all.field("a/v1.B.field").as_deref(), Some("One. Two.\n\nThree."));
        assert_eq!(all.sentence("a/v1.B.field").as_deref(), Some("One."));
        assert_eq!(all.field("a/v1.B.x"), None);
        assert_eq!(all.of_member("a/v1.E", "x").as_deref(), Some("a \\n"));
        assert_eq!(all.field("a/v1.C.x").as_deref(), Some("y"));
    }
}
