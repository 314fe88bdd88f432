//! `set` and `shopt`.

use super::super::Dialect;
use super::super::shell::{Flow, Shell};
use super::vars::quote;
use crate::context::Ctx;

const NAMES: [(&str, char); 10] = [
    ("errexit", 'e'),
    ("noglob", 'f'),
    ("noexec", 'n'),
    ("nounset", 'u'),
    ("xtrace", 'x'),
    ("verbose", 'v'),
    ("noclobber", 'C'),
    ("allexport", 'a'),
    ("monitor", 'm'),
    ("pipefail", 'P'),
];

impl Shell {
    fn option_slot(&mut self, c: char) -> Option<&mut bool> {
        let o = &mut self.options;
        Some(match c {
            'e' => &mut o.errexit,
            'f' => &mut o.noglob,
            'n' => &mut o.noexec,
            'u' => &mut o.nounset,
            'x' => &mut o.xtrace,
            'v' => &mut o.verbose,
            'C' => &mut o.noclobber,
            'a' => &mut o.allexport,
            'm' => &mut o.monitor,
            _ => return None,
        })
    }

    /// Sets an option by letter; whether there is one.
    pub fn set_option(&mut self, c: char, on: bool) -> bool {
        // Options without an effect here.
        if matches!(c, 'b' | 'h' | 'B' | 'H' | 'k' | 'p' | 't' | 'E' | 'T' | 'I' | 'V') {
            return self.dialect == Dialect::Bash || matches!(c, 'b' | 'I' | 'V' | 'p');
        }
        match self.option_slot(c) {
            Some(slot) => {
                *slot = on;
                true
            }
            None => false,
        }
    }

    /// Sets an option by name; whether there is one.
    pub fn set_option_name(&mut self, name: &str, on: bool) -> bool {
        match NAMES.iter().find(|(n, _)| *n == name) {
            Some((_, 'P')) if self.dialect == Dialect::Dash => false,
            Some((_, 'P')) => {
                self.options.pipefail = on;
                true
            }
            Some((_, c)) => self.set_option(*c, on),
            None => matches!(name, "vi" | "emacs" | "notify" | "posix" | "ignoreeof" | "nolog" | "debug"),
        }
    }

    /// `$-`.
    pub fn option_letters(&mut self) -> String {
        let mut s = String::new();
        for c in "aefmnuvxC".chars() {
            if self.option_slot(c).is_some_and(|b| *b) {
                s.push(c);
            }
        }
        if self.interactive {
            s.push('i');
        }
        if self.dialect == Dialect::Bash {
            s = format!("h{s}Bc");
        }
        s
    }
}

pub(super) fn set(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    if args.len() == 1 {
        let mut text = String::new();
        for (name, _) in sh.vars.names() {
            if let Some(v) = sh.vars.get(name) {
                let shown = match sh.dialect {
                    Dialect::Bash => super::quote_if_needed(v, sh.dialect),
                    _ => quote(v),
                };
                text.push_str(&format!("{name}={shown}\n"));
            }
        }
        ctx.out(text);
        return Flow::Status(0);
    }
    let mut i = 1;
    while let Some(a) = args.get(i) {
        if a == "--" {
            sh.params = args.get(i + 1..).unwrap_or_default().to_vec();
            return Flow::Status(0);
        }
        if a == "-" {
            sh.options.xtrace = false;
            sh.options.verbose = false;
            i += 1;
            break;
        }
        let on = a.starts_with('-');
        let Some(letters) = a.strip_prefix(['-', '+']) else { break };
        if letters.is_empty() {
            break;
        }
        for c in letters.chars() {
            if c == 'o' {
                i += 1;
                let Some(name) = args.get(i) else {
                    let mut text = String::new();
                    for (n, c) in NAMES {
                        let on = match c {
                            'P' => sh.options.pipefail,
                            c => sh.option_slot(c).is_some_and(|b| *b),
                        };
                        text.push_str(&format!("{n:<15}\t{}\n", if on { "on" } else { "off" }));
                    }
                    ctx.out(text);
                    return Flow::Status(0);
                };
                if !sh.set_option_name(name, on) {
                    return match sh.dialect {
                        Dialect::Bash => Flow::Status(sh.builtin_error(
                            ctx,
                            "set",
                            format!("{name}: invalid option name"),
                            2,
                        )),
                        Dialect::Dash => {
                            Flow::Fatal(sh.builtin_error(ctx, "set", format!("Illegal option -o {name}"), 2))
                        }
                        Dialect::Ash => {
                            Flow::Status(sh.builtin_error(ctx, "set", format!("illegal option -o {name}"), 1))
                        }
                    };
                }
            } else if !sh.set_option(c, on) {
                let sign = if on { '-' } else { '+' };
                return match sh.dialect {
                    Dialect::Bash => {
                        sh.builtin_error(ctx, "set", format!("{sign}{c}: invalid option"), 2);
                        ctx.err(
                            "set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]\n",
                        );
                        Flow::Status(2)
                    }
                    Dialect::Dash => {
                        Flow::Fatal(sh.builtin_error(ctx, "set", format!("Illegal option {sign}{c}"), 2))
                    }
                    Dialect::Ash => {
                        Flow::Fatal(sh.builtin_error(ctx, "set", format!("illegal option {sign}{c}"), 2))
                    }
                };
            }
        }
        i += 1;
    }
    if i < args.len() {
        sh.params = args.get(i..).unwrap_or_default().to_vec();
    }
    Flow::Status(0)
}

pub(super) fn shopt(sh: &mut Shell, ctx: &mut Ctx<'_>, args: &[String]) -> Flow {
    for a in args.iter().skip(1) {
        match a.as_str() {
            "-s" | "-u" | "-q" | "-p" | "-o" | "expand_aliases" | "checkwinsize" | "histappend" => {}
            name => {
                return Flow::Exit(sh.builtin_error(ctx, "shopt", format!("not simulated: {name}"), 2));
            }
        }
    }
    Flow::Status(0)
}
