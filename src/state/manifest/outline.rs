//! Paths of keys found by indentation alone, so that they are known while the text is no valid YAML yet.

/// One step from a value to a value inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// An item, from 0.
    Item(usize),
}

/// A key in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// From the document's root to the key.
    pub(super) path: Vec<Step>,
    /// First byte of the name.
    pub(super) start: usize,
    /// Behind its last byte.
    pub(super) end: usize,
    /// First byte of the value on the same line.
    pub(super) value_start: usize,
    /// Behind the last byte of the value on the same line.
    pub(super) value_end: usize,
}

/// The document around a place, read line by line.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    /// The document's keys, in order.
    pub(super) keys: Vec<Key>,
    /// First byte of the document.
    pub(super) start: usize,
    /// Behind its last byte.
    pub(super) end: usize,
}

/// Where a key or value would go that is typed at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The mapping or list it goes into.
    pub(super) parent: Vec<Step>,
    /// Its column.
    pub(super) column: usize,
    /// Whether a `- ` stands before it on the line.
    pub(super) dash: bool,
}

#[derive(Clone, Debug)]
struct Open {
    column: usize,
    step: Step,
}

/// Deepest nesting that is followed.
const DEPTH: usize = 64;

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']))
}

/// The range of the document around a byte.
fn document(text: &str, at: usize) -> (usize, usize) {
    let (mut start, mut offset) = (0, 0);
    for line in text.split_inclusive('\n') {
        if is_separator(line.trim_end_matches('\n')) {
            if offset > at {
                return (start, offset);
            }
            start = offset + line.len();
        }
        offset += line.len();
    }
    (start.min(text.len()), text.len())
}

/// Takes the dashes at the start of a line's content: how many columns they take, how many they are.
fn dashes(content: &str) -> (usize, usize) {
    let (mut width, mut count) = (0, 0);
    while let Some(rest) = content.get(width..) {
        let Some(after) = rest.strip_prefix('-') else { break };
        if !after.is_empty() && !after.starts_with(' ') {
            break;
        }
        let spaces = after.len() - after.trim_start_matches(' ').len();
        width += 1 + spaces;
        count += 1;
        if after.trim().is_empty() {
            break;
        }
    }
    (width, count)
}

/// The key at the start of some content: its text, its length with quotes, where the value begins.
fn key(content: &str) -> Option<(&str, usize, usize)> {
    let (name, length) = match content.chars().next()? {
        quote @ ('"' | '\'') => {
            let inner = content.get(1..)?;
            let end = inner.find(quote)?;
            (inner.get(..end)?, end + 2)
        }
        '#' | '{' | '[' | '&' | '*' | '|' | '>' | '%' | '!' => return None,
        _ => {
            let end = content
                .char_indices()
                .find(|(i, c)| {
                    *c == ':' && content.get(i + 1..).is_some_and(|r| r.is_empty() || r.starts_with(' '))
                })?
                .0;
            (content.get(..end)?.trim_end(), end)
        }
    };
    let after = content.get(length..)?;
    let colon = after.find(':')?;
    if !after.get(..colon)?.trim().is_empty() {
        return None;
    }
    let rest = after.get(colon + 1..)?;
    let spaces = rest.len() - rest.trim_start_matches(' ').len();
    Some((name, length.min(content.len()), length + colon + 1 + spaces))
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    /// Column of a key whose value is a block of text that is being passed over.
    block: Option<usize>,
}

impl Reader {
    /// Makes room for an item whose dash stands at a column.
    fn item(&mut self, column: usize) {
        let mut index = 0;
        while let Some(last) = self.open.last() {
            match last.step {
                Step::Item(i) if last.column == column => {
                    index = i + 1;
                    self.open.pop();
                }
                _ if last.column > column => {
                    self.open.pop();
                }
                _ => break,
            }
        }
        if self.open.len() < DEPTH {
            self.open.push(Open { column, step: Step::Item(index) });
        }
    }

    /// Closes what a key at a column is not inside of.
    fn close(&mut self, column: usize) {
        while self.open.last().is_some_and(|o| o.column >= column) {
            self.open.pop();
        }
    }

    fn path(&self) -> Vec<Step> {
        self.open.iter().map(|o| o.step.clone()).collect()
    }

    /// Reads a line; `offset` is its first byte.
    fn line(&mut self, line: &str, offset: usize, keys: &mut Vec<Key>) {
        let line = line.trim_end_matches(['\n', '\r']);
        let indent = line.len() - line.trim_start_matches(' ').len();
        let content = &line[indent..];
        if content.is_empty() || content.starts_with('#') {
            return;
        }
        if let Some(column) = self.block {
            if indent > column {
                return;
            }
            self.block = None;
        }
        let (width, count) = dashes(content);
        let mut column = indent;
        if count > 0 {
            let mut rest = content;
            for _ in 0..count {
                self.item(column);
                let after = rest.get(1..).unwrap_or_default();
                let spaces = after.len() - after.trim_start_matches(' ').len();
                column += 1 + spaces;
                rest = after.get(spaces..).unwrap_or_default();
            }
        }
        let rest = content.get(width..).unwrap_or_default();
        let Some((name, length, value)) = key(rest) else { return };
        self.close(column);
        if self.open.len() < DEPTH {
            self.open.push(Open { column, step: Step::Key(name.to_owned()) });
        }
        let start = offset + indent + width;
        let text = rest.get(value..).unwrap_or_default();
        // A comment behind the value is none of it.
        let text = text.find(" #").map_or(text, |i| &text[..i]).trim_end();
        if text.starts_with(['|', '>']) {
            self.block = Some(column);
        }
        keys.push(Key {
            path: self.path(),
            start,
            end: start + length,
            value_start: start + value.min(rest.len()),
            value_end: start + value.min(rest.len()) + text.len(),
        });
    }
}

impl Outline {
    /// The document around a byte.
    pub(super) fn around(text: &str, at: usize) -> Outline {
        let (start, end) = document(text, at);
        let mut outline = Outline { keys: Vec::new(), start, end };
        let mut reader = Reader::default();
        let mut offset = start;
        for line in text.get(start..end).unwrap_or_default().split_inclusive('\n') {
            reader.line(line, offset, &mut outline.keys);
            offset += line.len();
        }
        outline
    }

    /// The key on the line of a byte: the place is in its name or behind it.
    pub(super) fn key_at(&self, text: &str, at: usize) -> Option<&Key> {
        let line = text.get(..at)?.rfind('\n').map_or(0, |i| i + 1);
        let line_end = text.get(at..)?.find('\n').map_or(text.len(), |i| at + i);
        self.keys.iter().rev().find(|k| k.start >= line && k.start <= line_end)
    }

    /// The value of a key at the top of the document, as written.
    pub(super) fn top<'a>(&self, text: &'a str, name: &str) -> Option<&'a str> {
        let path = [Step::Key(name.to_owned())];
        let key = self.keys.iter().find(|k| k.path == path)?;
        let value = text.get(key.value_start..key.value_end)?.trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then_some(value)
    }

    /// Where something typed at a byte goes, which stands at a column behind so many dashes.
    pub(super) fn slot(&self, text: &str, at: usize) -> Slot {
        let line_start = text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1).max(self.start);
        let mut reader = Reader::default();
        let mut offset = self.start;
        let mut keys = Vec::new();
        for line in text.get(self.start..line_start).unwrap_or_default().split_inclusive('\n') {
            reader.line(line, offset, &mut keys);
            offset += line.len();
        }
        let before = text.get(line_start..at).unwrap_or_default();
        let indent = before.len() - before.trim_start_matches(' ').len();
        let (width, count) = dashes(&before[indent..]);
        let mut column = indent;
        if count > 0 {
            reader.item(column);
            column += width.max(2);
        }
        reader.close(column);
        Slot { parent: reader.path(), column, dash: count > 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    command:\n    - sh\n    env:\n      - name: A\n        value: |\n          x: 1\n  - name: b\n    image: nginx # web\n---\nkind: Service\n";

    fn text(path: &[Step]) -> String {
        path.iter()
            .map(|s| match s {
                Step::Key(k) => format!(".{k}"),
                Step::Item(i) => format!("[{i}]"),
            })
            .collect()
    }

    #[test]
    fn keys_have_their_paths() {
        let outline = Outline::around(POD, 0);
        let paths: Vec<String> = outline.keys.iter().map(|k| text(&k.path)).collect();
        assert_eq!(
            paths,
            [
                ".apiVersion",
                ".kind",
                ".spec",
                ".spec.containers",
                ".spec.containers[0].name",
                ".spec.containers[0].command",
                ".spec.containers[0].env",
                ".spec.containers[0].env[0].name",
                ".spec.containers[0].env[0].value",
                ".spec.containers[1].name",
                ".spec.containers[1].image",
            ]
        );
        let image = outline.keys.last().unwrap();
        assert_eq!(&POD[image.value_start..image.value_end], "nginx");
        assert_eq!(Outline::around(POD, POD.len()).top(POD, "kind"), Some("Service"));
    }

    #[test]
    fn a_place_has_the_mapping_it_is_in() {
        let slot = |text: &str| {
            let at = text.len();
            Outline::around(text, at).slot(text, at)
        };
        let one = slot("spec:\n  containers:\n  - name: a\n    ");
        assert_eq!((text(&one.parent).as_str(), one.column, one.dash), (".spec.containers[0]", 4, false));
        let two = slot("spec:\n  containers:\n  - ");
        assert_eq!((text(&two.parent).as_str(), two.dash), (".spec.containers[0]", true));
        assert_eq!(text(&slot("spec:\n  containers:\n  - name: a\n  ").parent), ".spec");
        assert_eq!(text(&slot("spec:\n  containers:\n  - name: a\n").parent), "");
        assert_eq!(text(&slot("spec:\n  ").parent), ".spec");
    }

    #[test]
    fn any_text_can_be_read() {
        for text in [
            "- - - a: b",
            "'a",
            "\"a\": 'b",
            ":",
            "- ",
            "a:\r\n  b: c\r\n",
            "한: 글\n  🐳: ",
            "--- \n---",
            "\t- a",
        ] {
            for (at, _) in text.char_indices() {
                let outline = Outline::around(text, at);
                let _ = (outline.slot(text, at), outline.key_at(text, at).cloned());
            }
        }
    }
}
