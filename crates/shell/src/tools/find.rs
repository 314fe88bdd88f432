//! `find`.

use super::finish;
use super::lines::deferred;
use crate::context::Ctx;
use crate::process::{Family, Pid, Program, Step, Wait};
use podlab_sim::SimTime;
use std::collections::VecDeque;

struct Find {
    tests: Vec<Test>,
    min: u32,
    max: u32,
    depth_first: bool,
    follow: bool,
}

#[derive(Clone)]
enum Test {
    Name(String, bool),
    Path(String),
    Type(char),
    Size(char, u64, u64),
    Time(char, i64, i64),
    Newer(SimTime),
    Empty,
    Perm(u32),
    User(u32),
    Not,
    Or,
    Open,
    Close,
    Print(char),
    Delete,
    Exec(Vec<String>, bool),
    Prune,
    True,
}

/// What a walk found out: text to print and commands to run, in order.
#[derive(Clone, Debug)]
enum Todo {
    Out(String),
    Run(Vec<String>),
    Delete(String),
}

#[derive(Clone, Debug)]
struct FindRun {
    todo: VecDeque<Todo>,
    child: Option<Pid>,
    code: i32,
}

impl Program for FindRun {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if let Some(pid) = self.child {
            match ctx.reap(pid) {
                Ok(None) => return Step::Block(Wait::child()),
                Ok(Some(e)) if e.code() != 0 => {}
                _ => {}
            }
            self.child = None;
        }
        match self.todo.pop_front() {
            None => return Step::Exit(finish(ctx, self.code)),
            Some(Todo::Out(t)) => ctx.out(t),
            Some(Todo::Delete(p)) => {
                let dir = ctx.stat(&p, false).is_ok_and(|s| s.is_dir);
                if let Err(e) = ctx.remove(&p, dir) {
                    self.code = ctx.fail(1, format!("cannot delete '{p}': {e}"));
                }
            }
            Some(Todo::Run(argv)) => {
                let name = argv.first().cloned().unwrap_or_default();
                match ctx.spawn_command(argv) {
                    Ok(pid) => self.child = Some(pid),
                    Err(e) => self.code = ctx.fail(1, format!("{name}: {e}")),
                }
            }
        }
        Step::Ran
    }
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

pub(super) fn find(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let mut paths = Vec::new();
        let mut i = 1;
        while let Some(a) = args.get(i).filter(|a| !a.starts_with('-') && *a != "(" && *a != "!") {
            paths.push(a.clone());
            i += 1;
        }
        if paths.is_empty() {
            paths.push(".".to_owned());
        }
        let mut f = Find { tests: Vec::new(), min: 0, max: 64, depth_first: false, follow: false };
        while let Some(a) = args.get(i).cloned() {
            i += 1;
            let value = args.get(i).cloned();
            let mut take = || {
                i += 1;
                value.clone().unwrap_or_default()
            };
            let test = match a.as_str() {
                "-name" => Test::Name(take(), false),
                "-iname" => Test::Name(take().to_lowercase(), true),
                "-path" | "-wholename" => Test::Path(take()),
                "-type" => Test::Type(take().chars().next().unwrap_or('f')),
                "-maxdepth" => {
                    f.max = take().parse().unwrap_or(64);
                    continue;
                }
                "-mindepth" => {
                    f.min = take().parse().unwrap_or(0);
                    continue;
                }
                "-size" => {
                    let t = take();
                    let (sign, n) = sign(&t);
                    let unit = n.chars().last().filter(|c| !c.is_ascii_digit()).unwrap_or('b');
                    let digits: String = n.chars().filter(char::is_ascii_digit).collect();
                    let unit = match unit {
                        'c' => 1,
                        'k' => 1 << 10,
                        'M' => 1 << 20,
                        'G' => 1 << 30,
                        _ => 512,
                    };
                    Test::Size(sign, digits.parse().unwrap_or(0), unit)
                }
                "-mtime" | "-mmin" | "-ctime" | "-atime" => {
                    let t = take();
                    let (sign, n) = sign(&t);
                    Test::Time(sign, n.parse().unwrap_or(0), if a == "-mmin" { 60 } else { 86_400 })
                }
                "-newer" => {
                    let file = take();
                    match ctx.stat(&file, true) {
                        Ok(s) => Test::Newer(s.mtime),
                        Err(e) => return Err(ctx.fail(1, format!("{file}: {e}"))),
                    }
                }
                "-perm" => {
                    Test::Perm(u32::from_str_radix(take().trim_start_matches(['-', '/']), 8).unwrap_or(0))
                }
                "-user" => {
                    let u = take();
                    Test::User(ctx.id_of("/etc/passwd", &u).unwrap_or(u32::MAX))
                }
                "-empty" => Test::Empty,
                "!" | "-not" => Test::Not,
                "-o" | "-or" => Test::Or,
                "-a" | "-and" => continue,
                "(" => Test::Open,
                ")" => Test::Close,
                "-print" => Test::Print('\n'),
                "-print0" => Test::Print('\0'),
                "-delete" => {
                    f.depth_first = true;
                    Test::Delete
                }
                "-depth" => {
                    f.depth_first = true;
                    continue;
                }
                "-prune" => Test::Prune,
                "-xdev" | "-follow" | "-L" => {
                    f.follow |= a != "-xdev";
                    Test::True
                }
                "-exec" => {
                    let mut argv = Vec::new();
                    let mut plus = false;
                    while let Some(w) = args.get(i) {
                        i += 1;
                        if w == ";" {
                            break;
                        }
                        if w == "+" && argv.last().is_some_and(|l: &String| l == "{}") {
                            plus = true;
                            argv.pop();
                            break;
                        }
                        argv.push(w.clone());
                    }
                    Test::Exec(argv, plus)
                }
                other => {
                    let text = if ctx.is_busybox() {
                        format!("unrecognized: {other}")
                    } else {
                        format!("unknown predicate `{other}'")
                    };
                    return Err(ctx.fail(1, text));
                }
            };
            f.tests.push(test);
        }
        let acts = f.tests.iter().any(|t| matches!(t, Test::Print(_) | Test::Delete | Test::Exec(..)));
        let mut run = FindRun { todo: VecDeque::new(), child: None, code: 0 };
        let mut plus: Vec<String> = Vec::new();
        for p in &paths {
            if let Err(e) = ctx.stat(p, false) {
                let text = if ctx.is_busybox() { format!("{p}: {e}") } else { format!("‘{p}’: {e}") };
                run.code = ctx.fail(1, text);
                continue;
            }
            walk(ctx, &f, p, 0, acts, &mut run, &mut plus);
        }
        if !plus.is_empty()
            && let Some(Test::Exec(argv, true)) = f.tests.iter().find(|t| matches!(t, Test::Exec(_, true)))
        {
            let mut argv = argv.clone();
            argv.extend(plus);
            run.todo.push_back(Todo::Run(argv));
        }
        Ok(Box::new(run))
    })
}

fn sign(t: &str) -> (char, &str) {
    match t.strip_prefix('+') {
        Some(r) => ('+', r),
        None => match t.strip_prefix('-') {
            Some(r) => ('-', r),
            None => ('=', t),
        },
    }
}

fn walk(
    ctx: &mut Ctx<'_>,
    f: &Find,
    path: &str,
    depth: u32,
    acts: bool,
    run: &mut FindRun,
    plus: &mut Vec<String>,
) {
    if run.todo.len() > 20_000 {
        return;
    }
    let Ok(stat) = ctx.stat(path, f.follow).or_else(|_| ctx.stat(path, false)) else { return };
    let mut prune = false;
    let visit = |ctx: &mut Ctx<'_>, run: &mut FindRun, plus: &mut Vec<String>, prune: &mut bool| {
        if depth < f.min {
            return;
        }
        let mut pos = 0;
        let yes = evaluate(ctx, f, &mut pos, path, &stat, run, plus, prune, true, 0);
        if yes && !acts {
            run.todo.push_back(Todo::Out(format!("{path}\n")));
        }
    };
    if !f.depth_first {
        visit(ctx, run, plus, &mut prune);
    }
    if stat.is_dir && depth < f.max && !prune {
        for n in ctx.list(path).unwrap_or_default() {
            let full = if path.ends_with('/') { format!("{path}{n}") } else { format!("{path}/{n}") };
            walk(ctx, f, &full, depth + 1, acts, run, plus);
        }
    }
    if f.depth_first {
        visit(ctx, run, plus, &mut prune);
    }
}

/// `or` of `and`s of tests; `live` says whether actions take effect.
#[allow(clippy::too_many_arguments)]
fn evaluate(
    ctx: &mut Ctx<'_>,
    f: &Find,
    pos: &mut usize,
    path: &str,
    stat: &crate::fs::Stat,
    run: &mut FindRun,
    plus: &mut Vec<String>,
    prune: &mut bool,
    live: bool,
    depth: u32,
) -> bool {
    let mut result = false;
    let mut all = true;
    let mut negate = false;
    while let Some(t) = f.tests.get(*pos) {
        *pos += 1;
        let active = live && !result && all;
        let hit = match t {
            Test::Not => {
                negate = !negate;
                continue;
            }
            Test::Or => {
                result |= all;
                all = true;
                continue;
            }
            Test::Close => break,
            Test::Open if depth > 60 => false,
            Test::Open => evaluate(ctx, f, pos, path, stat, run, plus, prune, active, depth + 1),
            Test::Name(p, fold) => {
                let name = super::base(path.trim_end_matches('/'));
                let name = if *fold { name.to_lowercase() } else { name.to_owned() };
                crate::pattern::matches(p, &name)
            }
            Test::Path(p) => crate::pattern::matches(p, path),
            Test::Type(c) => match c {
                'd' => stat.is_dir,
                'l' => stat.link.is_some(),
                'c' => stat.is_device,
                _ => stat.is_file,
            },
            Test::Size(s, n, unit) => compare(*s, stat.size.div_ceil(*unit), *n),
            Test::Time(s, n, unit) => {
                let age = (ctx.now().as_secs() - stat.mtime.as_secs()) / unit;
                compare(*s, age, *n)
            }
            Test::Newer(t) => stat.mtime > *t,
            Test::Empty => {
                if stat.is_dir {
                    ctx.list(path).is_ok_and(|l| l.is_empty())
                } else {
                    stat.is_file && stat.size == 0
                }
            }
            Test::Perm(m) => stat.mode & 0o7777 == *m,
            Test::User(u) => stat.uid == *u,
            Test::True => true,
            Test::Prune => {
                *prune |= active;
                true
            }
            Test::Print(end) => {
                if active {
                    run.todo.push_back(Todo::Out(format!("{path}{end}")));
                }
                true
            }
            Test::Delete => {
                if active && path != "." {
                    run.todo.push_back(Todo::Delete(path.to_owned()));
                }
                true
            }
            Test::Exec(argv, many) => {
                if active {
                    if *many {
                        plus.push(path.to_owned());
                    } else {
                        run.todo.push_back(Todo::Run(argv.iter().map(|a| a.replace("{}", path)).collect()));
                    }
                }
                true
            }
        };
        all &= hit != std::mem::take(&mut negate);
    }
    result | all
}

fn compare<T: PartialOrd>(sign: char, a: T, b: T) -> bool {
    match sign {
        '+' => a > b,
        '-' => a < b,
        _ => a == b,
    }
}
