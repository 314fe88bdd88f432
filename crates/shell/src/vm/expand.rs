//! From the pieces of a word to fields: splitting, globbing, quoting.

use crate::context::Ctx;
use crate::pattern::{escape, matches};

/// Most names one pattern may expand to.
const MAX_MATCHES: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Text {
        text: String,
        quoted: bool,
        split: bool,
    },
    /// Between the parameters of `"$@"`: the field ends here even if it is empty.
    Break,
    /// Between the parameters of unquoted `$@`: ends the field if there is something in it.
    SoftBreak,
    /// `"$@"` without parameters: no field comes of the quotes around it.
    Nothing,
}

/// A word being built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Builder {
    pub segments: Vec<Segment>,
}

type Field = Vec<(char, bool)>;

impl Builder {
    pub fn text(&mut self, text: &str, quoted: bool, split: bool) {
        self.segments.push(Segment::Text { text: text.to_owned(), quoted, split });
    }

    /// One string, nothing split; the parameters of `$@` joined by blanks.
    pub fn single(&self) -> String {
        let mut out = String::new();
        for s in &self.segments {
            match s {
                Segment::Text { text, .. } => out.push_str(text),
                Segment::Break | Segment::SoftBreak => out.push(' '),
                Segment::Nothing => {}
            }
        }
        out
    }

    /// One pattern: what was quoted is escaped.
    pub fn pattern(&self) -> String {
        let mut out = String::new();
        for s in &self.segments {
            match s {
                Segment::Text { text, quoted: true, .. } => out.push_str(&escape(text)),
                Segment::Text { text, .. } => out.push_str(text),
                Segment::Break | Segment::SoftBreak => out.push(' '),
                Segment::Nothing => {}
            }
        }
        out
    }

    /// One extended regular expression: what was quoted is escaped.
    pub fn regex(&self) -> String {
        let mut out = String::new();
        for s in &self.segments {
            if let Segment::Text { text, quoted, .. } = s {
                for c in text.chars() {
                    if *quoted && "\\^$.[]|()*+?{}".contains(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
        out
    }

    /// The fields after splitting by `ifs`.
    fn split(&self, ifs: &str) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut cur: Field = Vec::new();
        let mut started = false;
        let mut after_space = false;
        let nothing = self.segments.contains(&Segment::Nothing);
        for s in &self.segments {
            match s {
                Segment::Nothing => {}
                Segment::Break => {
                    fields.push(std::mem::take(&mut cur));
                    started = true;
                    after_space = false;
                }
                Segment::SoftBreak => {
                    if started {
                        fields.push(std::mem::take(&mut cur));
                    }
                    started = false;
                }
                Segment::Text { text, quoted: false, split: true } => {
                    for c in text.chars() {
                        if !ifs.contains(c) {
                            cur.push((c, false));
                            started = true;
                            after_space = false;
                        } else if c.is_ascii_whitespace() {
                            if started {
                                fields.push(std::mem::take(&mut cur));
                                started = false;
                                after_space = true;
                            }
                        } else {
                            // A blank before it belongs to the same delimiter.
                            if started || !after_space {
                                fields.push(std::mem::take(&mut cur));
                            }
                            started = false;
                            after_space = false;
                        }
                    }
                }
                Segment::Text { text, quoted, .. } => {
                    started |= !text.is_empty() || (*quoted && !nothing);
                    cur.extend(text.chars().map(|c| (c, *quoted)));
                    if started {
                        after_space = false;
                    }
                }
            }
        }
        if started {
            fields.push(cur);
        }
        fields
    }

    /// The fields after splitting and, unless `no_glob`, pathname expansion.
    pub fn fields(&self, ctx: &Ctx<'_>, ifs: &str, no_glob: bool) -> Vec<String> {
        let mut out = Vec::new();
        for field in self.split(ifs) {
            let active = !no_glob && field.iter().any(|(c, q)| !q && matches!(c, '*' | '?' | '['));
            if active {
                let mut pattern = String::new();
                for (c, quoted) in &field {
                    if *quoted && "*?[]\\".contains(*c) {
                        pattern.push('\\');
                    }
                    pattern.push(*c);
                }
                let found = glob(ctx, &pattern);
                if !found.is_empty() {
                    out.extend(found);
                    continue;
                }
            }
            out.push(field.into_iter().map(|(c, _)| c).collect());
        }
        out
    }
}

/// The paths that match, sorted.
pub(crate) fn glob(ctx: &Ctx<'_>, pattern: &str) -> Vec<String> {
    let absolute = pattern.starts_with('/');
    let mut found = vec![if absolute { "/".to_owned() } else { String::new() }];
    let parts: Vec<&str> = pattern.split('/').filter(|p| !p.is_empty()).collect();
    for (i, part) in parts.iter().enumerate() {
        let last = i + 1 == parts.len();
        let mut next = Vec::new();
        let active = part.contains(['*', '?', '[']);
        for base in &found {
            if next.len() > MAX_MATCHES {
                break;
            }
            let join = |name: &str| format!("{base}{name}");
            if !active {
                let path = join(&part.replace('\\', ""));
                if ctx.stat(&path, false).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let dir = if base.is_empty() { "." } else { base.as_str() };
            for name in ctx.list(dir).unwrap_or_default() {
                if name.starts_with('.') && !part.starts_with('.') {
                    continue;
                }
                if matches(part, &name) && (last || ctx.is_dir(&join(&name))) {
                    next.push(join(&name));
                }
            }
        }
        if !last {
            for p in &mut next {
                p.push('/');
            }
        }
        found = next;
    }
    if pattern.ends_with('/') {
        found.retain(|p| ctx.is_dir(p));
        for p in &mut found {
            p.push('/');
        }
    }
    found.sort();
    found
}
