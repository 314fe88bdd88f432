//! `seq` and `yes`: tools that only write.

use super::lines::deferred;
use super::{finish, missing_operand};
use crate::context::Ctx;
use crate::process::{Family, Program, Step};

/// Bytes written in one step, or one item where that is longer.
const CHUNK: usize = 8 << 10;

#[derive(Clone, Debug)]
struct Seq {
    next: f64,
    step: f64,
    last: f64,
    decimals: usize,
    width: usize,
    separator: String,
    first: bool,
    count: f64,
}

pub(super) fn seq(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        // Negative numbers are no options.
        let mut separator = "\n".to_owned();
        let mut wide = false;
        let mut numbers = Vec::new();
        let mut it = args.iter().skip(1);
        while let Some(a) = it.next() {
            if a == "-s" {
                separator = it.next().cloned().unwrap_or_default();
            } else if let Some(s) = a.strip_prefix("-s") {
                separator = s.to_owned();
            } else if a == "-w" {
                wide = true;
            } else {
                numbers.push(a.clone());
            }
        }
        let mut values = Vec::new();
        for n in &numbers {
            match n.parse::<f64>() {
                Ok(v) if v.is_finite() => values.push(v),
                _ => {
                    let text = if ctx.is_busybox() {
                        format!("invalid number '{n}'")
                    } else {
                        format!(
                            "invalid floating point argument: ‘{n}’\nTry 'seq --help' for more information."
                        )
                    };
                    return Err(ctx.fail(1, text));
                }
            }
        }
        let (first, step, last) = match values.as_slice() {
            [l] => (1.0, 1.0, *l),
            [f, l] => (*f, 1.0, *l),
            [f, s, l] => (*f, *s, *l),
            _ => return Err(missing_operand(ctx)),
        };
        if step == 0.0 {
            return Err(ctx.fail(1, "invalid Zero increment value: ‘0’"));
        }
        let decimals = numbers
            .iter()
            .take(if numbers.len() == 3 { 2 } else { 1 })
            .map(|n| n.split_once('.').map_or(0, |(_, d)| d.len()))
            .max()
            .unwrap_or(0)
            .min(20);
        let width = if wide {
            [first, last].iter().map(|v| format!("{v:.decimals$}").len()).max().unwrap_or(0)
        } else {
            0
        };
        Ok(Box::new(Seq { next: first, step, last, decimals, width, separator, first: true, count: 0.0 }))
    })
}

impl Program for Seq {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let mut out = String::new();
        let start = self.next;
        while out.len() < CHUNK {
            let v = start + self.count * self.step;
            let past = if self.step > 0.0 { v > self.last + 1e-10 } else { v < self.last - 1e-10 };
            // Beyond what a float tells apart the next number is the same one.
            let done = past || (!self.first && v == start + (self.count - 1.0) * self.step);
            if done {
                if !self.first {
                    out.push('\n');
                }
                ctx.out(out);
                return Step::Exit(finish(ctx, 0));
            }
            if !self.first {
                out.push_str(&self.separator);
            }
            self.first = false;
            let (decimals, width) = (self.decimals, self.width);
            out.push_str(&format!("{v:0>width$.decimals$}"));
            self.count += 1.0;
        }
        ctx.out(out);
        Step::Ran
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

#[derive(Clone, Debug)]
struct Yes(Vec<u8>);

impl Program for Yes {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        ctx.out(self.0.repeat((CHUNK / self.0.len().max(1)).clamp(1, 100)));
        if ctx.core.write_error.is_some() { Step::Exit(finish(ctx, 0)) } else { Step::Ran }
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

pub(super) fn yes(args: &[String], _: Family) -> Box<dyn Program> {
    let text = if args.len() > 1 { args.get(1..).unwrap_or_default().join(" ") } else { "y".to_owned() };
    Box::new(Yes(format!("{text}\n").into_bytes()))
}
