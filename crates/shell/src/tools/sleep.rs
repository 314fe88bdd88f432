//! `sleep`, `usleep`.

use super::lines::deferred;
use crate::context::Ctx;
use crate::process::{Family, Program, Step, Wait};
use podlab_sim::SimTime;
use std::time::Duration;

/// Longer than anyone waits.
const FOREVER: f64 = 1e10;

/// Waits until an instant.
#[derive(Clone, Debug)]
pub(crate) struct Sleep {
    pub until: SimTime,
    pub code: i32,
}

impl Program for Sleep {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if ctx.now() >= self.until { Step::Exit(self.code) } else { Step::Block(Wait::until(self.until)) }
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
    fn memory_bytes(&self) -> u64 {
        600 << 10
    }
}

/// `1.5`, `2m`, `1h`, `infinity` in seconds.
pub(crate) fn duration(text: &str) -> Option<f64> {
    if matches!(text, "inf" | "infinity") {
        return Some(FOREVER);
    }
    let (number, factor) = match text.char_indices().last() {
        Some((i, 's')) => (text.get(..i)?, 1.0),
        Some((i, 'm')) => (text.get(..i)?, 60.0),
        Some((i, 'h')) => (text.get(..i)?, 3600.0),
        Some((i, 'd')) => (text.get(..i)?, 86400.0),
        _ => (text, 1.0),
    };
    let first = number.chars().next()?;
    if !first.is_ascii_digit() && first != '.' {
        return None;
    }
    let n: f64 = number.parse().ok()?;
    n.is_finite().then_some((n * factor).min(FOREVER))
}

fn begin(ctx: &mut Ctx<'_>, seconds: f64) -> Box<dyn Program> {
    let until = ctx.now() + Duration::from_secs_f64(seconds.clamp(0.0, 9e8)) + ctx.host.overhead();
    Box::new(Sleep { until, code: 0 })
}

pub(super) fn sleep(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let rest: Vec<String> = args.iter().skip(1).filter(|a| *a != "--").cloned().collect();
        if rest.is_empty() {
            return Err(super::missing_operand(ctx));
        }
        let mut total = 0.0;
        let mut bad = false;
        for a in &rest {
            match duration(a) {
                Some(d) => total += d,
                None if ctx.is_busybox() => return Err(ctx.fail(1, format!("invalid number '{a}'"))),
                None => {
                    bad = true;
                    ctx.fail(1, format!("invalid time interval ‘{a}’"));
                }
            }
        }
        if bad {
            ctx.err("Try 'sleep --help' for more information.\n");
            return Err(1);
        }
        Ok(begin(ctx, total))
    })
}

pub(super) fn usleep(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let Some(a) = args.get(1) else { return Err(super::missing_operand(ctx)) };
        match a.parse::<u32>() {
            Ok(n) => Ok(begin(ctx, f64::from(n) / 1e6)),
            Err(_) => Err(ctx.fail(1, format!("invalid number '{a}'"))),
        }
    })
}
