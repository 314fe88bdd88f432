//! A terminal's line as the stages of its pipelines: kubectl runs here, what stands between is bash's.

use super::terminal::split;

/// What stands before a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// The beginning, `;`.
    Then,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `|`: it reads what the stage before wrote.
    Pipe,
}

/// What a stage runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// kubectl with these words.
    Kubectl(Vec<String>),
    /// bash with this text.
    Shell(String),
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) joint: Joint,
    pub(super) what: What,
    /// The next stage reads what it writes.
    pub(super) piped: bool,
    /// Where kubectl's output goes: a file's name, and whether it is added to.
    pub(super) to: Option<(String, bool)>,
}

/// Most stages of a line.
const STAGES: usize = 64;

/// Whether a piece of a line begins with kubectl or its alias.
fn is_kubectl(text: &str) -> bool {
    matches!(text.split_whitespace().next(), Some("kubectl" | "k"))
}

/// Cuts a line at the operators that stand outside quotes: the operator before each piece, and the piece.
fn cut(line: &str) -> Vec<(Joint, &str)> {
    let mut pieces = Vec::new();
    let (mut start, mut joint) = (0, Joint::Then);
    let mut quote = None;
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('"') | None, '\\') => {
                chars.next();
            }
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '&' | ';') => {
                let double = chars.peek().is_some_and(|(_, next)| *next == c) && c != ';';
                // `2>&1` and a lone `&` are no cut.
                if c == '&' && !double {
                    continue;
                }
                pieces.push((joint, &line[start..at]));
                joint = match (c, double) {
                    ('|', true) => Joint::Or,
                    ('|', false) => Joint::Pipe,
                    ('&', _) => Joint::And,
                    _ => Joint::Then,
                };
                if double {
                    chars.next();
                }
                start = at + if double { 2 } else { 1 };
            }
            (None, '#') if line[..at].ends_with([' ', '\t']) || at == 0 => {
                pieces.push((joint, &line[start..at]));
                return pieces;
            }
            _ => {}
        }
    }
    pieces.push((joint, &line[start..]));
    pieces
}

/// Where output goes: the file and whether it is appended to.
type Target = Option<(String, bool)>;

/// Takes `> file` and `>> file` off the end of a kubectl command.
fn redirection(text: &str) -> Result<(&str, Target), String> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '>') => {
                let rest = &text[at + 1..];
                let (name, append) = rest.strip_prefix('>').map_or((rest, false), |r| (r, true));
                let mut words = split(name)?;
                return match (words.pop(), words.is_empty()) {
                    (Some(name), true) => Ok((&text[..at], Some((name, append)))),
                    _ => Err("bash: syntax error near unexpected token `newline'\n".to_owned()),
                };
            }
            _ => {}
        }
    }
    Ok((text, None))
}

/// Reads a line.
///
/// # Errors
/// The text to show: what bash would say, or what this terminal does not simulate.
pub(super) fn parse(line: &str) -> Result<Vec<Stage>, String> {
    let pieces = cut(line);
    if !pieces.iter().any(|(_, text)| is_kubectl(text)) {
        let nested =
            line.split(['`', '(']).skip(1).any(is_kubectl) || line.split_whitespace().any(|w| w == "kubectl");
        if nested {
            return Err(
                "podlab: kubectl inside loops, $( ) or ( ) is not simulated in this terminal\n".to_owned()
            );
        }
        return Ok(vec![Stage {
            joint: Joint::Then,
            what: What::Shell(line.to_owned()),
            piped: false,
            to: None,
        }]);
    }
    let mut stages: Vec<Stage> = Vec::new();
    for (joint, text) in pieces {
        let text = text.trim();
        if text.is_empty() {
            if joint == Joint::Then {
                continue;
            }
            return Err("bash: syntax error: unexpected end of file\n".to_owned());
        }
        if stages.len() >= STAGES {
            return Err("podlab: too many commands in one line\n".to_owned());
        }
        if joint == Joint::Pipe
            && let Some(last) = stages.last_mut()
        {
            last.piped = true;
            // What bash pipes to bash it runs at once.
            if let (What::Shell(before), false) = (&mut last.what, is_kubectl(text)) {
                before.push_str(" | ");
                before.push_str(text);
                last.piped = false;
                continue;
            }
        }
        let (what, to) = if is_kubectl(text) {
            let (command, to) = redirection(text)?;
            (What::Kubectl(split(command)?.into_iter().skip(1).collect()), to)
        } else {
            (What::Shell(text.to_owned()), None)
        };
        stages.push(Stage { joint, what, piped: false, to });
    }
    Ok(stages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> Vec<String> {
        let stages = parse(line).unwrap();
        stages
            .iter()
            .map(|s| {
                let what = match &s.what {
                    What::Kubectl(args) => format!("kubectl{args:?}"),
                    What::Shell(text) => text.clone(),
                };
                format!(
                    "{:?} {what}{}{}",
                    s.joint,
                    if s.piped { " |" } else { "" },
                    s.to.as_ref().map_or(String::new(), |(n, a)| format!(" > {n} {a}"))
                )
            })
            .collect()
    }

    #[test]
    fn a_line_is_cut_at_its_operators() {
        assert_eq!(
            text("kubectl get po | grep 'a|b' | wc -l && k delete po x; echo done"),
            [
                "Then kubectl[\"get\", \"po\"] |",
                "Pipe grep 'a|b' | wc -l",
                "And kubectl[\"delete\", \"po\", \"x\"]",
                "Then echo done",
            ]
        );
        assert_eq!(
            text("kubectl run x --image=nginx -o yaml >> x.yaml"),
            ["Then kubectl[\"run\", \"x\", \"--image=nginx\", \"-o\", \"yaml\"] > x.yaml true"]
        );
        assert_eq!(text("for i in 1 2; do echo $i; done"), ["Then for i in 1 2; do echo $i; done"]);
        assert!(parse("echo $(kubectl get po)").is_err());
        assert!(parse("kubectl get po |").is_err());
    }
}
