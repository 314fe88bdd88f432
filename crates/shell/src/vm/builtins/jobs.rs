//! `wait`, `jobs`, `kill`, `fg`, `bg`.

use super::super::Dialect;
use super::super::jobs::{exit_word, job_line};
use super::super::shell::{Blocked, Flow, Shell};
use crate::context::Ctx;
use crate::process::Pid;
use crate::signal::Signal;

pub(super) fn wait(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut pids = Vec::new();
    for a in args.iter().skip(1) {
        if a == "-n" && sh.dialect == Dialect::Bash {
            return Flow::Exit(sh.builtin_error(ctx, "wait", "not simulated: -n", 2));
        }
        if let Some(spec) = a.strip_prefix('%') {
            match job_of(sh, spec) {
                Some(pid) => pids.push(pid),
                None => return Flow::Status(sh.builtin_error(ctx, "wait", format!("{a}: no such job"), 127)),
            }
            continue;
        }
        match a.parse::<Pid>() {
            Ok(p) => {
                if sh.dialect == Dialect::Bash && !sh.jobs.iter().any(|j| j.pid == p) {
                    sh.builtin_error(ctx, "wait", format!("pid {p} is not a child of this shell"), 127);
                }
                pids.push(p);
            }
            Err(_) => {
                return match sh.dialect {
                    Dialect::Bash => Flow::Status(sh.builtin_error(
                        ctx,
                        "wait",
                        format!("`{a}': not a pid or valid job spec"),
                        1,
                    )),
                    _ => Flow::Fatal(sh.builtin_error(ctx, "wait", format!("Illegal number: {a}"), 2)),
                };
            }
        }
    }
    Flow::Block(Blocked::Jobs { pids: (!pids.is_empty()).then_some(pids) })
}

fn job_of(sh: &Shell, spec: &str) -> Option<Pid> {
    match spec {
        "" | "%" | "+" | "-" => sh.jobs.last().map(|j| j.pid),
        s => match s.parse::<u32>() {
            Ok(n) => sh.jobs.iter().find(|j| j.number == n).map(|j| j.pid),
            Err(_) => sh.jobs.iter().find(|j| j.text.starts_with(s)).map(|j| j.pid),
        },
    }
}

pub(super) fn jobs(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    sh.reap_jobs(ctx, false);
    let mut pids_only = false;
    for a in args.iter().skip(1) {
        match a.as_str() {
            "-p" => pids_only = true,
            "-l" => {}
            o => {
                let text = match sh.dialect {
                    Dialect::Dash => format!("Illegal option {o}"),
                    Dialect::Ash => format!("illegal option {o}"),
                    Dialect::Bash => format!("{o}: invalid option"),
                };
                return Flow::Fatal(sh.builtin_error(ctx, "jobs", text, 2));
            }
        }
    }
    let mut text = String::new();
    let last = sh.jobs.last().map(|j| j.number);
    for j in &sh.jobs {
        if pids_only {
            text.push_str(&format!("{}\n", j.pid));
            continue;
        }
        let state = j.status.map_or_else(|| "Running".to_owned(), exit_word);
        let source = if j.status.is_none() && sh.dialect == Dialect::Bash {
            format!("{} &", j.text)
        } else {
            j.text.clone()
        };
        text.push_str(&job_line(sh.dialect, j.number, last == Some(j.number), state, &source));
    }
    ctx.out(text);
    sh.jobs.retain(|j| j.status.is_none());
    Flow::Status(0)
}

pub(super) fn fg_bg(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let name = args.first().cloned().unwrap_or_default();
    if !sh.interactive {
        return match sh.dialect {
            Dialect::Bash => Flow::Status(sh.builtin_error(ctx, &name, "no job control", 1)),
            _ => Flow::Fatal(sh.builtin_error(ctx, &name, "No current job", 2)),
        };
    }
    let spec = args.get(1).map_or("", |a| a.trim_start_matches('%')).to_owned();
    let Some(pid) = job_of(sh, &spec) else {
        return Flow::Status(sh.builtin_error(ctx, &name, "no current job", 1));
    };
    let text = sh.jobs.iter().find(|j| j.pid == pid).map(|j| j.text.clone()).unwrap_or_default();
    if name == "bg" {
        return Flow::Status(0);
    }
    ctx.out(format!("{text}\n"));
    sh.jobs.retain(|j| j.pid != pid);
    Flow::Block(Blocked::Foreground { pids: vec![(pid, None)] })
}

pub(super) fn kill(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    let mut args = args.to_vec();
    for a in args.iter_mut().skip(1) {
        if let Some(spec) = a.strip_prefix('%')
            && let Some(pid) = job_of(sh, spec)
        {
            *a = pid.to_string();
        }
    }
    let rest = args.get(1..).unwrap_or_default();
    if rest.first().is_some_and(|a| a == "-l" || a == "-L") {
        if let Some(n) = rest.get(1).and_then(|a| a.parse::<u8>().ok()) {
            let name = Signal(n & 0x7f).name();
            ctx.out(format!("{name}\n"));
            return Flow::Status(0);
        }
        if let Some(signal) = rest.get(1).and_then(|n| Signal::parse(n)) {
            ctx.out(format!("{}\n", signal.0));
            return Flow::Status(0);
        }
        let text = match sh.dialect {
            Dialect::Ash => Signal::all().map(|s| format!("{:>2}) {}\n", s.0, s.name())).collect::<String>(),
            Dialect::Dash => {
                "0\n".to_owned() + &Signal::all().map(|s| format!("{}\n", s.name())).collect::<String>()
            }
            Dialect::Bash => Signal::all()
                .map(|s| {
                    let end = if s.0 % 5 == 0 { "\n" } else { "\t" };
                    format!("{:>2}) SIG{}{end}", s.0, s.name())
                })
                .collect::<String>(),
        };
        ctx.out(text);
        return Flow::Status(0);
    }
    let mut signal = Some(Signal::TERM);
    let mut i = 0;
    while let Some(a) = rest.get(i) {
        let name = match a.as_str() {
            "--" => {
                i += 1;
                break;
            }
            "-s" | "-n" => {
                i += 1;
                rest.get(i).cloned().unwrap_or_default()
            }
            a if a.len() > 1 && a.starts_with('-') && i == 0 => a.get(1..).unwrap_or_default().to_owned(),
            _ => break,
        };
        signal = if name == "0" { None } else { Signal::parse(&name) };
        if name != "0" && signal.is_none() {
            let text = match sh.dialect {
                Dialect::Ash => {
                    let line = format!("{}: bad signal name '{name}'\n", sh.name);
                    ctx.err(line);
                    return Flow::Status(1);
                }
                Dialect::Dash => format!("Illegal option -{}", name.chars().next().unwrap_or(' ')),
                Dialect::Bash => format!("{name}: invalid signal specification"),
            };
            let code = if sh.dialect == Dialect::Dash { 2 } else { 1 };
            return Flow::Status(sh.builtin_error(ctx, "kill", text, code));
        }
        i += 1;
    }
    let targets = rest.get(i..).unwrap_or_default();
    if targets.is_empty() {
        return Flow::Status(match sh.dialect {
            Dialect::Ash => {
                let line = format!("{}: you need to specify whom to kill\n", sh.name);
                ctx.err(line);
                1
            }
            Dialect::Dash => sh.builtin_error(
                ctx,
                "kill",
                "Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]",
                2,
            ),
            Dialect::Bash => {
                ctx.err("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n");
                2
            }
        });
    }
    let mut status = 0;
    for t in targets {
        let result = match t.parse::<i64>() {
            Ok(n) => match Pid::try_from(n) {
                Ok(0) => Ok(()),
                Ok(pid) => ctx.kill(pid, signal),
                Err(_) if n == -1 => {
                    let me = ctx.core.pid;
                    for p in ctx.processes().iter().filter(|p| p.pid != me && p.pid != 1) {
                        let _ = ctx.kill(p.pid, signal);
                    }
                    Ok(())
                }
                Err(_) => match Pid::try_from(-n) {
                    Ok(pid) => ctx.kill(pid, signal),
                    Err(_) => Err(crate::Errno::NoSuchProcess),
                },
            },
            Err(_) => {
                status = 1;
                match sh.dialect {
                    Dialect::Ash => {
                        let line = format!("{}: invalid number '{t}'\n", sh.name);
                        ctx.err(line);
                    }
                    Dialect::Dash => {
                        status = sh.builtin_error(ctx, "kill", format!("Illegal number: {t}"), 2)
                    }
                    Dialect::Bash => {
                        sh.builtin_error(
                            ctx,
                            "kill",
                            format!("{t}: arguments must be process or job IDs"),
                            1,
                        );
                    }
                }
                continue;
            }
        };
        if let Err(e) = result {
            status = 1;
            match sh.dialect {
                Dialect::Ash => {
                    let line = format!("{}: can't kill pid {t}: {e}\n", sh.name);
                    ctx.err(line);
                }
                Dialect::Dash => {
                    sh.builtin_error(ctx, "kill", format!("{e}\n"), 1);
                }
                Dialect::Bash => {
                    sh.builtin_error(ctx, "kill", format!("({t}) - {e}"), 1);
                }
            }
        }
    }
    Flow::Status(status)
}
