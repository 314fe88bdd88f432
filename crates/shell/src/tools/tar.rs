//! `tar`: archives in the ustar form, packed, listed and unpacked. `kubectl cp` works by it.

mod format;

use super::gzip;
use super::options;
use crate::context::{Ctx, Read};
use crate::fs::Errno;
use crate::process::{Family, Program, Step, Wait};
use format::{BLOCK, Member, header, member, pax_path, text};
use podlab_sim::SimTime;
use std::fmt::Write as _;

/// Deepest directory tree packed.
const MAX_DEPTH: u32 = 64;
/// Longest archive kept in memory.
const MAX_KEPT: usize = 64 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Create,
    Extract,
    List,
}

#[derive(Clone, Debug)]
struct Tar {
    args: Vec<String>,
    /// What is being read, and what has come of it; none before the arguments are looked at.
    reading: Option<(Plan, u32)>,
    archive: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Plan {
    mode: Mode,
    file: String,
    /// Whether gzip packs it.
    packed: bool,
    verbose: bool,
    /// Members that are meant; all where there are none.
    members: Vec<String>,
    strip: usize,
}

pub(super) fn tar(args: &[String], _: Family) -> Box<dyn Program> {
    Box::new(Tar { args: args.to_vec(), reading: None, archive: Vec::new() })
}

impl Program for Tar {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let Some((plan, fd)) = self.reading.clone() else {
            let plan = match plan(ctx, &self.args) {
                Ok(plan) => plan,
                Err(code) => return Step::Exit(code),
            };
            if plan.mode == Mode::Create {
                return Step::Exit(create(ctx, &plan));
            }
            if plan.file == "-" {
                self.reading = Some((plan, 0));
                return Step::Ran;
            }
            return match ctx.open(&plan.file) {
                Ok(fd) => {
                    self.reading = Some((plan, fd));
                    Step::Ran
                }
                Err(e) => {
                    let text = if ctx.is_busybox() {
                        format!("can't open '{}': {e}", plan.file)
                    } else {
                        format!("{}: Cannot open: {e}\ntar: Error is not recoverable: exiting now", plan.file)
                    };
                    Step::Exit(ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text))
                }
            };
        };
        match ctx.read(fd, 1 << 16) {
            Read::Blocked => Step::Block(Wait::readable(fd)),
            Read::Data(data) if self.archive.len() + data.len() > MAX_KEPT => {
                drop(data);
                Step::Exit(ctx.fail(2, "the archive is larger than podlab unpacks"))
            }
            Read::Data(data) => {
                self.archive.extend_from_slice(&data);
                Step::Ran
            }
            Read::Eof => {
                // A packed archive is known by how it begins.
                let unpacked = if self.archive.starts_with(&gzip::MAGIC) {
                    gzip::unpack(&self.archive)
                } else if plan.packed && !self.archive.is_empty() {
                    None
                } else {
                    Some(std::mem::take(&mut self.archive))
                };
                Step::Exit(match unpacked {
                    Some(archive) => unpack(ctx, &plan, &archive),
                    None if ctx.is_busybox() => ctx.fail(1, "invalid magic"),
                    None => {
                        ctx.err("\ngzip: stdin: not in gzip format\ntar: Child returned status 1\n");
                        ctx.fail(2, "Error is not recoverable: exiting now")
                    }
                })
            }
            Read::Failed(e) => Step::Exit(ctx.fail(2, format!("read error: {e}"))),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Reads the arguments; the first may lack its dash.
fn plan(ctx: &mut Ctx<'_>, args: &[String]) -> Result<Plan, i32> {
    let mut args = args.to_vec();
    if let Some(first) = args.get_mut(1).filter(|first| !first.starts_with('-')) {
        first.insert(0, '-');
    }
    let long = [
        ("create", 'c'),
        ("extract", 'x'),
        ("list", 't'),
        ("verbose", 'v'),
        ("file", 'f'),
        ("directory", 'C'),
        ("gzip", 'z'),
        ("bzip2", 'j'),
        ("xz", 'J'),
        ("preserve-permissions", 'p'),
        ("no-same-permissions", 'N'),
        ("no-same-owner", 'o'),
        ("touch", 'm'),
        ("dereference", 'h'),
        ("strip-components", 'S'),
    ];
    let o = options(ctx, &args, "cxtvf:C:zjJpNomhS:k", &long)?;
    let modes: Vec<Mode> = [('c', Mode::Create), ('x', Mode::Extract), ('t', Mode::List)]
        .into_iter()
        .filter(|(letter, _)| o.has(*letter))
        .map(|(_, mode)| mode)
        .collect();
    let [mode] = modes.as_slice() else {
        let text = "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options";
        return Err(ctx.fail(2, text));
    };
    if o.has('j') || o.has('J') {
        return Err(ctx.fail(2, "podlab does not simulate archives that bzip2 or xz compress"));
    }
    if let Some(directory) = o.value('C') {
        let full = ctx.absolute(directory);
        if !ctx.is_dir(&full) {
            let why = if ctx.exists(&full) { Errno::NotADirectory } else { Errno::NotFound };
            let text = if ctx.is_busybox() {
                format!("can't change directory to '{directory}': {why}")
            } else {
                format!("{directory}: Cannot open: {why}\ntar: Error is not recoverable: exiting now")
            };
            return Err(ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text));
        }
        ctx.core.cwd = full;
    }
    Ok(Plan {
        mode: *mode,
        file: o.value('f').unwrap_or("-").to_owned(),
        packed: o.has('z'),
        verbose: o.has('v'),
        members: o.operands.clone(),
        strip: o.value('S').and_then(|text| text.parse().ok()).unwrap_or(0),
    })
}

/// Packs files; what cannot be read is told and left out.
fn create(ctx: &mut Ctx<'_>, plan: &Plan) -> i32 {
    if plan.members.is_empty() {
        let text =
            if ctx.is_busybox() { "empty archive" } else { "Cowardly refusing to create an empty archive" };
        return ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text);
    }
    let mut archive = Vec::new();
    let mut failed = false;
    let mut told = false;
    for member in &plan.members {
        if member.starts_with('/') && !std::mem::replace(&mut told, true) {
            let text = if ctx.is_busybox() {
                "tar: removing leading '/' from member names\n"
            } else {
                "tar: Removing leading `/' from member names\n"
            };
            ctx.err(text);
        }
        failed |= !pack(ctx, plan, member, &mut archive, 0);
        if archive.len() > MAX_KEPT {
            return ctx.fail(2, "the archive is larger than podlab packs");
        }
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    if plan.packed {
        archive = gzip::pack(&archive);
    }
    let written = match plan.file.as_str() {
        "-" => {
            ctx.out(&archive);
            Ok(())
        }
        file => ctx.write_file(file, &archive, false),
    };
    if let Err(e) = written {
        return ctx.fail(2, format!("{}: Cannot open: {e}", plan.file));
    }
    match (failed, ctx.is_busybox()) {
        (false, _) => 0,
        (true, true) => ctx.fail(1, "error exit delayed from previous errors"),
        (true, false) => ctx.fail(2, "Exiting with failure status due to previous errors"),
    }
}

/// Packs one file, or a directory with all below it; says whether all went well.
fn pack(ctx: &mut Ctx<'_>, plan: &Plan, path: &str, archive: &mut Vec<u8>, depth: u32) -> bool {
    let trimmed = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let stat = match ctx.stat(trimmed, false) {
        Ok(stat) if depth <= MAX_DEPTH && archive.len() <= MAX_KEPT => stat,
        Ok(_) => return false,
        Err(e) => {
            let text =
                if ctx.is_busybox() { format!("{path}: {e}") } else { format!("{path}: Cannot stat: {e}") };
            ctx.fail(1, text);
            return false;
        }
    };
    let name = trimmed.trim_start_matches('/');
    if plan.verbose {
        let line = format!("{trimmed}{}\n", if stat.is_dir { "/" } else { "" });
        if plan.file == "-" { ctx.err(line) } else { ctx.out(line) }
    }
    let mut content = Vec::new();
    if stat.is_file {
        match ctx.read_file(trimmed) {
            Ok(bytes) => content = bytes,
            Err(e) => {
                ctx.fail(1, format!("{path}: Cannot open: {e}"));
                return false;
            }
        }
    } else if !stat.is_dir && stat.link.is_none() {
        // Devices and pipes are no matter here.
        return true;
    }
    let kind = match (&stat.link, stat.is_dir) {
        (Some(_), _) => b'2',
        (None, true) => b'5',
        (None, false) => b'0',
    };
    let shown = match (name.is_empty(), stat.is_dir) {
        (true, _) => "./".to_owned(),
        (false, true) => format!("{name}/"),
        (false, false) => name.to_owned(),
    };
    let link = stat.link.as_deref().unwrap_or("");
    if shown.len() > 100 {
        // GNU's way: a member that holds nothing but the name of the next.
        let long = header("././@LongLink", 0, 0, 0, shown.len() + 1, 0, b'L', "");
        archive.extend(long);
        put(archive, &[shown.as_bytes(), b"\0"].concat());
    }
    let seconds = stat.mtime.as_secs();
    archive.extend(header(
        &shown,
        stat.mode & 0o7777,
        stat.uid,
        stat.gid,
        content.len(),
        seconds,
        kind,
        link,
    ));
    put(archive, &content);
    let mut well = true;
    if stat.is_dir {
        for entry in ctx.list(trimmed).unwrap_or_default() {
            let inner = if trimmed.ends_with('/') {
                format!("{trimmed}{entry}")
            } else {
                format!("{trimmed}/{entry}")
            };
            well &= pack(ctx, plan, &inner, archive, depth + 1);
        }
    }
    well
}

/// Adds content, filled up to a whole block.
fn put(archive: &mut Vec<u8>, content: &[u8]) {
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}

/// Unpacks or lists an archive.
fn unpack(ctx: &mut Ctx<'_>, plan: &Plan, archive: &[u8]) -> i32 {
    let mut rest = archive;
    let mut long = None;
    let mut failed = false;
    if archive.len() < BLOCK && (ctx.is_busybox() || !archive.is_empty()) {
        let text = if ctx.is_busybox() { "short read" } else { "This does not look like a tar archive" };
        return ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text);
    }
    while let Some((block, after)) = rest.split_at_checked(BLOCK) {
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        let Some(mut member) = member(block) else {
            let text =
                if ctx.is_busybox() { "invalid tar magic" } else { "This does not look like a tar archive" };
            return ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text);
        };
        let Some(content) = after.get(..member.size) else {
            let text = if ctx.is_busybox() { "short read" } else { "Unexpected EOF in archive" };
            return ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text);
        };
        rest = after.get(member.size.next_multiple_of(BLOCK)..).unwrap_or_default();
        match member.kind {
            b'L' => {
                long = Some(text(content, 0, content.len()));
                continue;
            }
            // What extends headers says nothing that matters here.
            b'x' | b'g' | b'K' => {
                if let Some(path) = pax_path(content).filter(|_| member.kind == b'x') {
                    long = Some(path);
                }
                continue;
            }
            _ => {}
        }
        if let Some(name) = long.take() {
            member.name = name;
        }
        let shown = member.name.clone();
        let meant = plan.members.is_empty()
            || plan.members.iter().any(|wanted| {
                let wanted = wanted.trim_end_matches('/');
                shown.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
        if !meant {
            continue;
        }
        if plan.mode == Mode::List || plan.verbose {
            ctx.out(format!("{}\n", line(plan, &member)));
        }
        if plan.mode == Mode::Extract
            && let Err((path, e)) = extract(ctx, plan, &member, content)
        {
            let text = if ctx.is_busybox() {
                format!("can't open '{path}': {e}")
            } else {
                format!("{path}: Cannot open: {e}")
            };
            ctx.fail(1, text);
            failed = true;
            if ctx.is_busybox() {
                return 1;
            }
        }
    }
    if failed { ctx.fail(2, "Exiting with failure status due to previous errors") } else { 0 }
}

fn line(plan: &Plan, member: &Member) -> String {
    if plan.mode != Mode::List || !plan.verbose {
        return member.name.clone();
    }
    let mut out = String::new();
    out.push(match member.kind {
        b'5' => 'd',
        b'2' => 'l',
        _ => '-',
    });
    for shift in [6, 3, 0] {
        for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
            out.push(if member.mode >> shift & bit != 0 { letter } else { '-' });
        }
    }
    let at = minute(member.mtime);
    let _ = write!(out, " root/root {:>9} {at} {}", member.size, member.name);
    out
}

/// `2026-01-01 10:00`.
fn minute(at: SimTime) -> String {
    let c = super::date::civil(at.as_secs());
    format!("{:04}-{:02}-{:02} {:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute)
}

/// Puts a member in its place, never outside the directory that is unpacked into.
fn extract(ctx: &mut Ctx<'_>, plan: &Plan, member: &Member, content: &[u8]) -> Result<(), (String, Errno)> {
    let parts: Vec<&str> = member.name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let Some(parts) = parts.get(plan.strip..).filter(|parts| !parts.is_empty()) else { return Ok(()) };
    if parts.contains(&"..") {
        return Err((member.name.clone(), Errno::NotPermitted));
    }
    let path = parts.join("/");
    let failed = |e: Errno| (path.clone(), e);
    for end in 1..parts.len() {
        let above = parts.get(..end).unwrap_or_default().join("/");
        if !ctx.is_dir(&above) {
            ctx.mkdir(&above, 0o755).map_err(failed)?;
        }
    }
    match member.kind {
        b'5' if ctx.is_dir(&path) => return Ok(()),
        b'5' => ctx.mkdir(&path, member.mode).map_err(failed)?,
        b'2' => {
            let _ = ctx.remove(&path, false);
            return ctx.symlink(&member.link, &path).map_err(failed);
        }
        b'0' | 0 | b'7' => {
            // What lies there is replaced, not written through.
            if ctx.stat(&path, false).is_ok_and(|stat| stat.link.is_some()) {
                let _ = ctx.remove(&path, false);
            }
            ctx.write_file(&path, content, false).map_err(failed)?;
        }
        _ => return Ok(()),
    }
    let (mode, mtime) = (member.mode & !ctx.core.umask, member.mtime);
    // One who does not own the file cannot give it a mode; its content is there.
    let _ = ctx.set_attributes(&path, true, &|inode| {
        inode.mode = mode;
        inode.mtime = mtime;
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{run, run_bash};

    #[test]
    fn files_are_packed_listed_and_unpacked() {
        let script = "mkdir -p /a/b; echo one > /a/x; echo two > /a/b/y; ln -s x /a/l; cd /; tar cf /t.tar a; tar tf /t.tar; \
                      mkdir /out; tar -xmf - -C /out < /t.tar; cat /out/a/x /out/a/b/y /out/a/l";
        let expected = "a/\na/b/\na/b/y\na/l\na/x\none\ntwo\none\n";
        assert_eq!(run(script).stdout, expected);
        assert_eq!(run_bash(script).stdout, expected);
    }

    #[test]
    fn a_pipe_carries_an_archive() {
        let outcome = run("echo hi > /tmp/f; tar cf - /tmp/f | tar xf - -C /var; cat /var/tmp/f");
        assert_eq!(outcome.stdout, "hi\n");
        assert_eq!(outcome.stderr, "tar: removing leading '/' from member names\n");
    }

    #[test]
    fn what_cannot_be_done_is_told() {
        let missing = run_bash("tar cf - nothing > /dev/null");
        assert_eq!(
            (missing.code, missing.stderr.as_str()),
            (
                2,
                "tar: nothing: Cannot stat: No such file or directory\n\
                 tar: Exiting with failure status due to previous errors\n"
            )
        );
        assert_eq!(run("echo no archive at all | tar xf -").code, 1);
        assert_eq!(
            run("tar cjf x.tgz /etc").stderr,
            "tar: podlab does not simulate archives that bzip2 or xz compress\n"
        );
        // Nothing is unpacked outside of the directory.
        let outside =
            run("mkdir /in; cd /in; echo x > /up; tar cf /t.tar ../up; rm /up; tar xf /t.tar; ls /up");
        assert_ne!(outside.code, 0);
    }
}
