//! How a shell begins: its arguments, its script and the environment.

use super::super::Dialect;
use super::{ScriptKind, Shell};
use crate::context::Ctx;
use crate::process::Step;
use std::collections::VecDeque;

impl Shell {
    /// Reads options and the script; done at the first step, when files can be read.
    pub(super) fn start(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
        self.import(ctx);
        let mut args: VecDeque<String> = std::mem::take(&mut self.params).into();
        let mut command = false;
        let mut from_stdin = false;
        while let Some(arg) = args.front().cloned() {
            if arg == "--" || arg == "-" {
                args.pop_front();
                break;
            }
            if arg == "--version" && self.dialect == Dialect::Bash {
                ctx.out("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n");
                return Some(Step::Exit(0));
            }
            if matches!(arg.as_str(), "--login" | "--norc" | "--noprofile" | "--posix") {
                args.pop_front();
                continue;
            }
            let Some(letters) = arg.strip_prefix('-').or_else(|| arg.strip_prefix('+')) else { break };
            args.pop_front();
            let on = arg.starts_with('-');
            for c in letters.chars() {
                match c {
                    'c' => command = true,
                    's' => from_stdin = true,
                    'i' => self.interactive = true,
                    'l' => {}
                    'o' => {
                        let name = args.pop_front().unwrap_or_default();
                        self.set_option_name(&name, on);
                    }
                    c if self.set_option(c, on) => {}
                    c => {
                        let text = match self.dialect {
                            Dialect::Bash => format!("bash: -{c}: invalid option\n"),
                            Dialect::Dash => format!("{}: 0: Illegal option -{c}\n", self.name),
                            Dialect::Ash => format!("{}: unrecognized option: {c}\n", self.name),
                        };
                        ctx.err(text);
                        return Some(Step::Exit(2));
                    }
                }
            }
        }
        if command {
            let Some(text) = args.pop_front() else {
                let text = match self.dialect {
                    Dialect::Bash => "bash: -c: option requires an argument\n".to_owned(),
                    Dialect::Dash => format!("{}: 0: -c requires an argument\n", self.name),
                    Dialect::Ash => format!("{}: -c requires an argument\n", self.name),
                };
                ctx.err(text);
                return Some(Step::Exit(2));
            };
            if let Some(name) = args.pop_front() {
                self.name = name;
            }
            self.params = args.into();
            self.push_script(&text, ScriptKind::Main);
            return None;
        }
        if !from_stdin && let Some(file) = args.pop_front() {
            match ctx.read_file(&file) {
                Ok(text) => self.begin_script(&text, &file),
                Err(e) => {
                    let text = match self.dialect {
                        Dialect::Bash => format!("{}: {file}: {e}\n", self.name),
                        Dialect::Dash => format!("{}: 0: cannot open {file}: {}\n", self.name, dash_open(e)),
                        Dialect::Ash => format!("{}: can't open '{file}': {e}\n", self.name),
                    };
                    ctx.err(text);
                    return Some(Step::Exit(if self.dialect == Dialect::Bash { 127 } else { 2 }));
                }
            }
            self.params = args.into();
            return None;
        }
        self.params = args.into();
        self.interactive |= ctx.is_tty(0);
        if self.interactive {
            self.options.monitor = true;
        }
        self.push_script("", ScriptKind::Stdin);
        None
    }

    /// Takes over the environment.
    pub fn import(&mut self, ctx: &mut Ctx<'_>) {
        if self.imported {
            return;
        }
        self.imported = true;
        self.main_pid = ctx.core.pid;
        self.seconds_from = ctx.now();
        for (n, v) in ctx.core.env.clone().iter() {
            // Names that are none are no variables of a script; ash and bash hand them on all the same, dash does not.
            // Source: busybox shell/ash.c `init`, bash variables.c `initialize_shell_variables`.
            let taken = crate::syntax::is_name(n) || self.dialect != Dialect::Dash;
            if taken && self.vars.set(n, v).is_ok() {
                self.vars.variable_mut(n).exported = true;
            }
        }
        let mut preset = |name: &str, value: &str, exported: bool| {
            if self.vars.get(name).is_none() {
                let _ = self.vars.set(name, value);
                self.vars.variable_mut(name).exported = exported;
            }
        };
        preset("PATH", crate::userland::DEFAULT_PATH, false);
        if self.dialect != Dialect::Dash {
            let level = ctx.core.env_var("SHLVL").and_then(|s| s.parse::<u32>().ok()).unwrap_or(0);
            let _ = self.vars.set("SHLVL", &level.saturating_add(1).to_string());
            self.vars.variable_mut("SHLVL").exported = true;
        }
        let _ = self.vars.set("PWD", &ctx.core.cwd.clone());
        self.vars.variable_mut("PWD").exported = true;
        let _ = self.vars.set("IFS", " \t\n");
        let _ = self.vars.set("OPTIND", "1");
        let _ = self.vars.set("PPID", &ctx.core.ppid.to_string());
        let _ = self.vars.set("PS4", "+ ");
        if self.dialect == Dialect::Bash {
            let _ = self.vars.set("BASH_VERSION", "5.2.15(1)-release");
            let _ = self.vars.set("HOSTNAME", &ctx.host.hostname());
        }
    }
}

fn dash_open(e: crate::Errno) -> &'static str {
    match e {
        crate::Errno::NotFound => "No such file",
        other => other.text(),
    }
}
