//! `logs-generator`: so many lines in so much time.
//!
//! Source: test/images/agnhost/logs-generator (Kubernetes v1.37).

use super::flags::Flags;
use podlab_shell::{Ctx, Program, Step, Wait};
use podlab_sim::{SimDuration, SimTime};

const METHODS: [&str; 3] = ["GET", "POST", "PUT"];
const NAMESPACES: [&str; 3] = ["kube-system", "default", "ns"];
/// The letters of names that Kubernetes draws.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

#[derive(Clone, Debug)]
pub(super) struct LogsGenerator {
    flags: Flags,
    written: i64,
    next: Option<SimTime>,
}

impl LogsGenerator {
    pub(super) fn new(flags: Flags) -> LogsGenerator {
        LogsGenerator { flags, written: 0, next: None }
    }
}

impl Program for LogsGenerator {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let total = self.flags.number("log-lines-total").unwrap_or(0);
        let duration = self.flags.duration("run-duration").unwrap_or(0);
        let now = ctx.now();
        if total <= 0 {
            klog(ctx, 'F', 52, &format!("Invalid total number of lines: {total}"));
            return Step::Exit(255);
        }
        if duration <= 0 {
            klog(ctx, 'F', 56, "Invalid duration: 0s");
            return Step::Exit(255);
        }
        if let Some(next) = self.next.filter(|next| now < *next) {
            return Step::Block(Wait::until(next));
        }
        if self.written >= total {
            return Step::Exit(0);
        }
        let mut draw = |below: u64| usize::try_from(ctx.host.random() % below).unwrap_or(0);
        let (method, namespace) = (METHODS[draw(3)], NAMESPACES[draw(3)]);
        let length = 3 + draw(2);
        let name: String = (0..length).map(|_| char::from(LETTERS[draw(LETTERS.len() as u64)])).collect();
        let status = 200 + draw(400);
        let line = format!("{} {method} /api/v1/namespaces/{namespace}/pods/{name} {status}", self.written);
        klog(ctx, 'I', 76, &line);
        self.written += 1;
        let delay = u64::try_from(duration / total).unwrap_or(1).max(1);
        let next = now + SimDuration::from_nanos(delay);
        self.next = Some(next);
        Step::Block(Wait::until(next))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        10 << 20
    }
}

/// A line as klog writes it.
fn klog(ctx: &mut Ctx<'_>, level: char, line: u32, text: &str) {
    let at = podlab_api::time::time_nanos(ctx.now().as_nanos()).strftime("%m%d %H:%M:%S%.6f").to_string();
    ctx.err(format!("{level}{at}       1 logs_generator.go:{line}] {text}\n"));
}
