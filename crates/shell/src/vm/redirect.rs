//! Redirections.

use super::Dialect;
use super::shell::Shell;
use crate::context::Ctx;
use crate::fs::Errno;
use crate::open_file::{OpenId, OpenKind};
use crate::syntax::RedirectKind;
use std::sync::Arc;

/// A redirection whose target is expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirection {
    pub fd: Option<u32>,
    pub kind: RedirectKind,
    pub target: String,
}

type Saved = Vec<(u32, Option<OpenId>)>;

impl Shell {
    /// Applies redirections to the process; answers what to restore. On failure nothing is changed and the
    /// error is printed.
    pub fn redirect(&mut self, ctx: &mut Ctx<'_>, all: &[Redirection]) -> Result<Saved, ()> {
        let mut saved: Saved = Vec::new();
        for r in all {
            if let Err(text) = self.redirect_one(ctx, r, &mut saved) {
                self.undo_redirects(ctx, saved);
                self.shell_error(ctx, text, 1);
                return Err(());
            }
        }
        Ok(saved)
    }

    fn redirect_one(&self, ctx: &mut Ctx<'_>, r: &Redirection, saved: &mut Saved) -> Result<(), String> {
        let target = r.target.as_str();
        let default_fd = match r.kind {
            RedirectKind::Read
            | RedirectKind::ReadWrite
            | RedirectKind::DupIn
            | RedirectKind::Here(_)
            | RedirectKind::HereString => 0,
            _ => 1,
        };
        let fd = r.fd.unwrap_or(default_fd);
        let id = match r.kind {
            RedirectKind::Read => ctx
                .open_path(target, true, false, false, false, false)
                .map_err(|e| self.open_error(e, target, false))?,
            RedirectKind::Write if self.options.noclobber => {
                let regular = ctx.stat(target, true).is_ok_and(|s| s.is_file);
                ctx.open_path(target, false, true, true, false, regular).map_err(|e| {
                    match (e, self.dialect) {
                        (Errno::Exists, Dialect::Bash) => format!("{target}: cannot overwrite existing file"),
                        (e, _) => self.open_error(e, target, true),
                    }
                })?
            }
            RedirectKind::Write | RedirectKind::Clobber => ctx
                .open_path(target, false, true, true, false, false)
                .map_err(|e| self.open_error(e, target, true))?,
            RedirectKind::Append | RedirectKind::BothAppend => ctx
                .open_path(target, false, true, false, true, false)
                .map_err(|e| self.open_error(e, target, true))?,
            RedirectKind::ReadWrite => ctx
                .open_path(target, true, true, false, false, false)
                .map_err(|e| self.open_error(e, target, true))?,
            RedirectKind::Both => ctx
                .open_path(target, false, true, true, false, false)
                .map_err(|e| self.open_error(e, target, true))?,
            RedirectKind::Here(_) | RedirectKind::HereString => {
                let mut text = target.to_owned();
                if r.kind == RedirectKind::HereString {
                    text.push('\n');
                }
                let kind = OpenKind::Bytes(Arc::new(text.into_bytes()));
                ctx.sys.open.open(kind, true, false)
            }
            RedirectKind::DupIn | RedirectKind::DupOut => {
                if target == "-" {
                    let old = ctx.core.fds.remove(&fd);
                    saved.push((fd, old));
                    return Ok(());
                }
                let Ok(from) = target.parse::<u32>() else {
                    if r.kind == RedirectKind::DupOut && r.fd.is_none() && self.dialect == Dialect::Bash {
                        let both =
                            Redirection { fd: None, kind: RedirectKind::Both, target: target.to_owned() };
                        return self.redirect_one(ctx, &both, saved);
                    }
                    return Err(match self.dialect {
                        Dialect::Bash => format!("{target}: ambiguous redirect"),
                        Dialect::Dash => "Syntax error: Bad fd number".to_owned(),
                        Dialect::Ash => "syntax error: bad fd number".to_owned(),
                    });
                };
                match ctx.core.fds.get(&from).copied() {
                    Some(id) => ctx.sys.open.dup(id),
                    None => return Err(format!("{target}: Bad file descriptor")),
                }
            }
        };
        let old = ctx.core.fds.insert(fd, id);
        saved.push((fd, old));
        if matches!(r.kind, RedirectKind::Both | RedirectKind::BothAppend) {
            let id = ctx.sys.open.dup(id);
            let old = ctx.core.fds.insert(2, id);
            saved.push((2, old));
        }
        Ok(())
    }

    fn open_error(&self, e: Errno, target: &str, create: bool) -> String {
        match self.dialect {
            Dialect::Bash => format!("{target}: {e}"),
            Dialect::Dash if create => match e {
                Errno::NotFound => format!("cannot create {target}: Directory nonexistent"),
                e => format!("cannot create {target}: {e}"),
            },
            Dialect::Dash => match e {
                Errno::NotFound => format!("cannot open {target}: No such file"),
                e => format!("cannot open {target}: {e}"),
            },
            Dialect::Ash if create => match e {
                Errno::NotFound => format!("can't create {target}: nonexistent directory"),
                e => format!("can't create {target}: {e}"),
            },
            Dialect::Ash => match e {
                Errno::NotFound => format!("can't open {target}: no such file"),
                e => format!("can't open {target}: {e}"),
            },
        }
    }

    /// Puts the descriptors back.
    pub fn undo_redirects(&self, ctx: &mut Ctx<'_>, saved: Saved) {
        for (fd, old) in saved.into_iter().rev() {
            let current = match old {
                Some(id) => ctx.core.fds.insert(fd, id),
                None => ctx.core.fds.remove(&fd),
            };
            if let Some(id) = current {
                ctx.sys.open.close(id);
            }
        }
    }

    /// Forgets how it was: the redirections of `exec` stay.
    pub fn keep_redirects(&self, ctx: &mut Ctx<'_>, saved: Saved) {
        for (_, old) in saved {
            if let Some(id) = old {
                ctx.sys.open.close(id);
            }
        }
    }
}
