//! The part of `/proc` that scripts read.

use crate::context::Ctx;
use crate::fs::{Errno, Stat};
use crate::process::{Pid, ProcessInfo};
use std::fmt::Write as _;

const FILES: [&str; 6] = ["cpuinfo", "loadavg", "meminfo", "mounts", "uptime", "version"];
const PROCESS_FILES: [&str; 6] = ["cmdline", "comm", "environ", "stat", "statm", "status"];

fn clean(path: &str) -> Option<Vec<&str>> {
    let rest = path.strip_prefix("/proc")?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    Some(rest.split('/').filter(|p| !p.is_empty() && *p != ".").collect())
}

fn process(ctx: &Ctx<'_>, name: &str) -> Option<ProcessInfo> {
    let pid: Pid = if name == "self" { ctx.core.pid } else { name.parse().ok()? };
    ctx.processes().into_iter().find(|p| p.pid == pid)
}

/// The text of a file below `/proc`; `None` where this path is not served here.
pub(crate) fn proc_read(ctx: &Ctx<'_>, path: &str) -> Option<String> {
    let parts = clean(path)?;
    let now = ctx.now();
    match parts.as_slice() {
        ["uptime"] => {
            let up = now.since(ctx.host.boot_time()).as_secs_f64();
            Some(format!("{up:.2} {:.2}\n", up * f64::from(ctx.host.cpus())))
        }
        ["loadavg"] => Some(format!("0.00 0.00 0.00 1/{} {}\n", ctx.processes().len(), ctx.core.pid)),
        ["version"] => Some("Linux version 6.1.0-podlab (simulated) #1 SMP\n".to_owned()),
        ["meminfo"] => {
            let total = ctx.host.memory_total() / 1024;
            let used: u64 = ctx.processes().iter().map(|p| p.memory_bytes).sum::<u64>() / 1024;
            let free = total.saturating_sub(used);
            Some(format!(
                "MemTotal:       {total:>8} kB\nMemFree:        {free:>8} kB\nMemAvailable:   {free:>8} kB\nBuffers:               0 kB\nCached:                0 kB\n"
            ))
        }
        ["cpuinfo"] => {
            let mut s = String::new();
            for i in 0..ctx.host.cpus().min(256) {
                let _ = write!(s, "processor\t: {i}\nvendor_id\t: podlab\nmodel name\t: simulated\n\n");
            }
            Some(s)
        }
        ["mounts"] | ["self", "mounts"] => {
            let mut s =
                "overlay / overlay rw,relatime 0 0\nproc /proc proc rw 0 0\ntmpfs /dev tmpfs rw 0 0\n"
                    .to_owned();
            for m in ctx.fs().mounts() {
                let device =
                    ctx.host.volume(&m.volume).map_or_else(|| "tmpfs".to_owned(), |v| v.device.to_string());
                let kind = if device.starts_with('/') { "ext4" } else { device.as_str() };
                let rw = if m.read_only { "ro" } else { "rw" };
                let _ = writeln!(s, "{device} {} {kind} {rw},relatime 0 0", m.path);
            }
            Some(s)
        }
        [pid, file] => {
            let p = process(ctx, pid)?;
            let argv0 = p.argv.first().map_or("", String::as_str);
            let comm = argv0.rsplit('/').next().unwrap_or_default();
            match *file {
                "cmdline" => Some(p.argv.iter().fold(String::new(), |mut s, a| {
                    s.push_str(a);
                    s.push('\0');
                    s
                })),
                "comm" => Some(format!("{comm}\n")),
                "environ" => {
                    let env = if p.pid == ctx.core.pid {
                        ctx.core.env.clone()
                    } else {
                        ctx.procs.get(&p.pid)?.core.env.clone()
                    };
                    Some(env.iter().fold(String::new(), |mut s, (n, v)| {
                        let _ = write!(s, "{n}={v}\0");
                        s
                    }))
                }
                "status" => Some(format!(
                    "Name:\t{comm}\nState:\t{}\nPid:\t{}\nPPid:\t{}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nVmRSS:\t{} kB\n",
                    match p.state {
                        'R' => "R (running)",
                        'Z' => "Z (zombie)",
                        _ => "S (sleeping)",
                    },
                    p.pid,
                    p.ppid,
                    p.memory_bytes / 1024,
                    uid = p.uid,
                )),
                "stat" => Some(format!("{} ({comm}) {} {}\n", p.pid, p.state, p.ppid)),
                "statm" => {
                    let pages = p.memory_bytes / 4096;
                    Some(format!("{pages} {pages} 0 0 0 0 0\n"))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The names in a directory below `/proc`; `None` where it is not served here.
pub(crate) fn proc_list(ctx: &Ctx<'_>, path: &str) -> Option<Vec<String>> {
    match clean(path)?.as_slice() {
        [] => {
            let mut names: Vec<String> = ctx.processes().iter().map(|p| p.pid.to_string()).collect();
            names.extend(FILES.iter().map(|s| (*s).to_owned()));
            names.push("self".to_owned());
            names.sort();
            Some(names)
        }
        [pid] => {
            process(ctx, pid)?;
            Some(PROCESS_FILES.iter().map(|s| (*s).to_owned()).collect())
        }
        _ => None,
    }
}

/// `stat` below `/proc`; `None` where it is not served here.
pub(crate) fn proc_stat(ctx: &Ctx<'_>, path: &str) -> Option<Result<Stat, Errno>> {
    let parts = clean(path)?;
    let is_dir = match parts.as_slice() {
        [] => true,
        [one] if process(ctx, one).is_some() => true,
        [pid, "fd", fd] => {
            let p = process(ctx, pid)?;
            let fd: u32 = fd.parse().ok()?;
            let open = if p.pid == ctx.core.pid {
                ctx.core.fds.contains_key(&fd)
            } else {
                ctx.procs.get(&p.pid).is_some_and(|p| p.core.fds.contains_key(&fd))
            };
            if !open {
                return Some(Err(Errno::NotFound));
            }
            false
        }
        _ if proc_read(ctx, path).is_some() => false,
        _ => return Some(Err(Errno::NotFound)),
    };
    Some(Ok(Stat {
        ino: 1,
        mode: if is_dir { 0o555 } else { 0o444 },
        uid: 0,
        gid: 0,
        size: 0,
        mtime: ctx.now(),
        nlink: 1,
        is_dir,
        is_file: !is_dir,
        is_device: false,
        link: None,
        mount: usize::MAX,
    }))
}
