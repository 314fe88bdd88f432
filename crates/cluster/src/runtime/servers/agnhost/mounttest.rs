//! `mounttest`: makes files and says of what kind they and their volumes are.
//!
//! Source: test/images/agnhost/mounttest (Kubernetes v1.37): options, order and the lines that are printed.

use super::flags::Flags;
use podlab_shell::{Ctx, Errno, Program, Stat, Step, Wait};
use podlab_sim::{SimDuration, SimTime};

/// What new files hold.
const CONTENT: &str = "mount-tester new file\n";
/// statfs(2)'s numbers of the file systems below a container and below a volume on disk.
const OVERLAY: u32 = 0x794c_7630;
const EXT4: u32 = 0xef53;

#[derive(Clone, Debug)]
pub(super) struct MountTest {
    flags: Flags,
    /// When the loop ends, once it has begun.
    until: Option<SimTime>,
    failed: bool,
}

impl MountTest {
    pub(super) fn new(flags: Flags) -> MountTest {
        MountTest { flags, until: None, failed: false }
    }

    /// Notes a failure and says it.
    fn fail(&mut self, ctx: &mut Ctx<'_>, said: &str) {
        self.failed = true;
        ctx.out(format!("{said}\n"));
    }

    fn all_at_once(&mut self, ctx: &mut Ctx<'_>) {
        let flags = self.flags.clone();
        if let Some(path) = flags.text("fs_type") {
            match ctx.stat(path, true) {
                Ok(stat) => ctx.out(format!("mount type of {path:?}: {}\n", file_system(ctx, &stat))),
                Err(error) => self.fail(ctx, &format!("error from statfs({path:?}): {}", go(error))),
            }
        }
        for (name, mode) in [
            ("new_file_0644", 0o644),
            ("new_file_0666", 0o666),
            ("new_file_0660", 0o660),
            ("new_file_0777", 0o777),
        ] {
            let Some(path) = flags.text(name) else { continue };
            match write_new(ctx, path, mode) {
                Ok(()) => self.show(ctx, path),
                Err(error) => {
                    self.fail(ctx, &format!("error writing new file {path:?}: open {path}: {}", go(error)));
                }
            }
        }
        if let Some(path) = flags.text("file_mode") {
            match ctx.stat(path, true) {
                Ok(stat) => ctx.out(format!("mode of file {path:?}: {}\n", mode_text(&stat))),
                Err(error) => {
                    self.fail(ctx, &format!("error from Stat({path:?}): stat {path}: {}", go(error)));
                }
            }
        }
        if let Some(path) = flags.text("file_perm") {
            match ctx.stat(path, true) {
                Ok(stat) => ctx.out(format!("perms of file {path:?}: -{}\n", permissions(stat.mode))),
                Err(error) => {
                    self.fail(ctx, &format!("error from Stat({path:?}): stat {path}: {}", go(error)));
                }
            }
        }
        if let Some(path) = flags.text("file_owner") {
            match ctx.stat(path, true) {
                Ok(stat) => ctx.out(format!(
                    "owner UID of {path:?}: {}\nowner GID of {path:?}: {}\n",
                    stat.uid, stat.gid
                )),
                Err(error) => self.fail(ctx, &format!("error from stat({path:?}): {}", go(error))),
            }
        }
        if let Some(path) = flags.text("file_content") {
            self.show(ctx, path);
        }
    }

    fn show(&mut self, ctx: &mut Ctx<'_>, path: &str) {
        match ctx.read_file(path) {
            Ok(bytes) => ctx.out(content_line(path, &bytes)),
            Err(error) => {
                self.fail(
                    ctx,
                    &format!("error reading file content for {path:?}: open {path}: {}", go(error)),
                );
            }
        }
    }

    /// Looks at the file once more; whether that was the last time.
    fn look_again(&mut self, ctx: &mut Ctx<'_>, path: &str) -> bool {
        match ctx.read_file(path) {
            Err(error) => {
                self.failed = true;
                ctx.out(format!("Error reading file {path}: open {path}: {}, retrying\n", go(error)));
                false
            }
            Ok(bytes) => {
                self.failed = false;
                ctx.out(content_line(path, &bytes));
                if !self.flags.truth("break_on_expected_content", true) {
                    return false;
                }
                if bytes != CONTENT.as_bytes() {
                    ctx.out(format!("Unexpected content. Expected: {CONTENT}. Retrying\n"));
                    return false;
                }
                true
            }
        }
    }
}

impl Program for MountTest {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let now = ctx.now();
        let until = match self.until {
            Some(until) => until,
            None => {
                self.all_at_once(ctx);
                let seconds = self.flags.number("retry_time").unwrap_or(180).clamp(0, 86_400);
                *self.until.insert(now + SimDuration::from_secs(seconds.unsigned_abs()))
            }
        };
        let in_loop = self.flags.text("file_content_in_loop").map(str::to_owned);
        if let Some(path) = in_loop
            && now < until
            && !self.look_again(ctx, &path)
        {
            return Step::Block(Wait::until(now + SimDuration::from_secs(2)));
        }
        Step::Exit(i32::from(self.failed))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        10 << 20
    }
}

fn content_line(path: &str, bytes: &[u8]) -> Vec<u8> {
    let mut line = format!("content of file {path:?}: ").into_bytes();
    line.extend_from_slice(bytes);
    line.push(b'\n');
    line
}

/// Writes a file; a new one gets the mode whatever the mask is.
fn write_new(ctx: &mut Ctx<'_>, path: &str, mode: u32) -> Result<(), Errno> {
    let is_new = !ctx.exists(path);
    ctx.write_file(path, CONTENT.as_bytes(), false)?;
    if is_new {
        ctx.set_attributes(path, true, &|inode| inode.mode = mode)?;
    }
    Ok(())
}

fn file_system(ctx: &Ctx<'_>, stat: &Stat) -> String {
    let mounted = stat.mount.checked_sub(1).and_then(|index| ctx.fs().mounts().get(index));
    match mounted.map(|mount| ctx.host.volume(&mount.volume).is_some_and(|volume| &*volume.device == "tmpfs"))
    {
        Some(true) => "tmpfs".to_owned(),
        Some(false) => EXT4.to_string(),
        None => OVERLAY.to_string(),
    }
}

/// A mode as Go prints it: kind and special bits before the permissions.
///
/// Source: Go, io/fs `FileMode.String`.
fn mode_text(stat: &Stat) -> String {
    let special = [
        (stat.is_dir, 'd'),
        (stat.is_device, 'D'),
        (stat.mode & 0o4000 != 0, 'u'),
        (stat.mode & 0o2000 != 0, 'g'),
        (stat.mode & 0o1000 != 0, 't'),
    ];
    let mut text: String = special.iter().filter(|(holds, _)| *holds).map(|(_, letter)| *letter).collect();
    if text.is_empty() {
        text.push('-');
    }
    text + &permissions(stat.mode)
}

/// `rwxr-xr-x`.
fn permissions(mode: u32) -> String {
    let letter = |(place, letter): (usize, char)| if mode & (0o400_u32 >> place) != 0 { letter } else { '-' };
    "rwxrwxrwx".chars().enumerate().map(letter).collect()
}

/// An error as Go words it.
fn go(error: Errno) -> String {
    error.text().to_lowercase()
}
