//! The few Python one-liners that pod examples have: `print("…")`, `x = "…" * N`, `import`, `time.sleep(n)`, `while True: pass`.

use crate::context::Ctx;
use crate::process::{Program, Step, Wait};
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Line {
    Print(String),
    Hold(u64),
    Sleep(f64),
    Spin,
    Exit(i32),
}

#[derive(Clone, Debug)]
struct Python {
    lines: VecDeque<Line>,
    memory: u64,
    spinning: bool,
}

/// A product such as `1024 * 1024 * 10`.
fn product(text: &str) -> Option<u64> {
    let mut n: u64 = 1;
    for part in text.split('*').map(str::trim).filter(|p| !p.is_empty()) {
        let f = match part.split_once("e") {
            Some((m, e)) => m.parse::<u64>().ok()?.checked_mul(10_u64.checked_pow(e.parse().ok()?)?)?,
            None => part.replace('_', "").trim_matches(['(', ')', ' ']).parse().ok()?,
        };
        n = n.checked_mul(f)?;
    }
    Some(n)
}

fn parse(text: &str) -> Result<VecDeque<Line>, String> {
    let mut out = VecDeque::new();
    for line in text.split([';', '\n']).map(str::trim) {
        if line.is_empty()
            || line.starts_with("import ")
            || line.starts_with("from ")
            || line.starts_with('#')
        {
            continue;
        }
        let quoted = |s: &str| -> Option<(String, String)> {
            let q = s.chars().next().filter(|c| *c == '"' || *c == '\'')?;
            let rest = s.get(1..)?;
            let end = rest.find(q)?;
            Some((rest.get(..end)?.to_owned(), rest.get(end + 1..)?.trim().to_owned()))
        };
        if let Some(arg) = line.strip_prefix("print(").and_then(|l| l.strip_suffix(')')) {
            match quoted(arg) {
                Some((s, rest)) if rest.is_empty() => out.push_back(Line::Print(s + "\n")),
                _ if arg.is_empty() => out.push_back(Line::Print("\n".to_owned())),
                _ => match product(arg) {
                    Some(n) => out.push_back(Line::Print(format!("{n}\n"))),
                    None => return Err(line.to_owned()),
                },
            }
        } else if let Some(n) = line.strip_prefix("time.sleep(").and_then(|l| l.strip_suffix(')')) {
            out.push_back(Line::Sleep(n.parse().map_err(|_| line.to_owned())?));
        } else if let Some(n) = line
            .strip_prefix("sys.exit(")
            .or_else(|| line.strip_prefix("exit("))
            .and_then(|l| l.strip_suffix(')'))
        {
            out.push_back(Line::Exit(if n.is_empty() {
                0
            } else {
                n.parse().map_err(|_| line.to_owned())?
            }));
        } else if matches!(line, "while True: pass" | "while 1: pass" | "while True:pass") {
            out.push_back(Line::Spin);
        } else if let Some((_, value)) = line.split_once('=') {
            let value = value.trim();
            let value = value.strip_prefix("bytearray(").and_then(|v| v.strip_suffix(')')).unwrap_or(value);
            let bytes = match quoted(value.trim_start_matches('b')) {
                Some((s, rest)) => {
                    let times = rest.strip_prefix('*').map_or(Some(1), |r| product(r.trim()));
                    times.and_then(|t| t.checked_mul(s.len() as u64))
                }
                None => product(value),
            };
            out.push_back(Line::Hold(bytes.ok_or_else(|| line.to_owned())?));
        } else {
            return Err(line.to_owned());
        }
    }
    Ok(out)
}

pub(super) fn start(ctx: &mut Ctx<'_>, text: &str) -> Result<Box<dyn Program>, i32> {
    match parse(text) {
        Ok(lines) => Ok(Box::new(Python { lines, memory: 9 << 20, spinning: false })),
        Err(line) => Err(ctx.fail(2, format!("not simulated: {line}"))),
    }
}

impl Program for Python {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if self.spinning {
            return Step::Block(Wait { busy: true, ..Wait::default() });
        }
        match self.lines.pop_front() {
            None => Step::Exit(super::finish(ctx, 0)),
            Some(Line::Print(s)) => {
                ctx.out(s);
                Step::Ran
            }
            Some(Line::Hold(n)) => {
                self.memory = self.memory.saturating_add(n);
                // The limit is looked at before the next line runs.
                Step::Block(Wait { busy: true, ..Wait::until(ctx.now() + Duration::from_millis(50)) })
            }
            Some(Line::Sleep(s)) => {
                Step::Block(Wait::until(ctx.now() + Duration::from_secs_f64(s.clamp(0.0, 9e8))))
            }
            Some(Line::Spin) => {
                self.spinning = true;
                Step::Ran
            }
            Some(Line::Exit(n)) => Step::Exit(n),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        self.memory
    }
}
