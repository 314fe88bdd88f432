//! What a program can do in a step: its system calls.

use crate::fs::{Content, Credentials, Device, Errno, FileSystem, Inode, Kind, Location, Stat};
use crate::host::{Host, HttpRequest, HttpResponse, NetError};
use crate::machine::System;
use crate::open_file::{OpenId, OpenKind};
use crate::process::{Core, Exit, Family, Pid, Process, ProcessInfo, Program, State};
use crate::signal::Signal;
use podlab_sim::{SimDuration, SimTime};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most processes of one machine (`fork` fails beyond, as at a pids limit).
const MAX_PROCESSES: usize = 512;
/// Most open descriptors of one process.
const MAX_FDS: usize = 1024;
/// The entrypoint of many images. A server started through it is started at once: a shell in between would leave
/// nothing behind.
pub const ENTRYPOINT: &str = "#!/bin/sh\nset -e\nexec \"$@\"\n";
/// Interpreters that may name interpreters (`#!`).
const MAX_INTERPRETERS: u32 = 4;

/// What reading a descriptor gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Some bytes, at least one.
    Data(Vec<u8>),
    /// The end.
    Eof,
    /// Nothing yet: return [`crate::Step::Block`] with [`crate::Wait::readable`].
    Blocked,
    /// The descriptor cannot be read.
    Failed(Errno),
}

/// One process's view of its machine and the world during a step.
pub struct Ctx<'a> {
    /// The process itself.
    pub core: &'a mut Core,
    pub(crate) sys: &'a mut System,
    pub(crate) procs: &'a mut BTreeMap<Pid, Box<Process>>,
    /// The world outside.
    pub host: &'a mut dyn Host,
}

impl Ctx<'_> {
    /// Asks an HTTP server, which may be another process of this machine.
    ///
    /// # Errors
    /// [`NetError`].
    pub fn http(&mut self, request: &HttpRequest) -> Result<HttpResponse, NetError> {
        let port = match self.host.http(request) {
            Err(NetError::Own(port)) => port,
            answer => return answer,
        };
        let Some(pid) = self.listener(port) else { return Err(NetError::ConnectionRefused) };
        let Some(mut server) = self.procs.remove(&pid) else { return Err(NetError::ConnectionRefused) };
        let answer = {
            let mut ctx =
                Ctx { core: &mut server.core, sys: self.sys, procs: self.procs, host: &mut *self.host };
            server.program.serve(&mut ctx, request)
        };
        self.procs.insert(pid, server);
        answer.ok_or(NetError::Reset)
    }

    /// Tries to open a connection, which may lead to another process of this machine.
    ///
    /// # Errors
    /// [`NetError`].
    pub fn connect(&mut self, host: &str, port: u16, udp: bool) -> Result<(), NetError> {
        match self.host.connect(host, port, udp) {
            Err(NetError::Own(port)) if self.listener(port).is_some() => Ok(()),
            Err(NetError::Own(_)) => Err(NetError::ConnectionRefused),
            answer => answer,
        }
    }

    /// Whether a port can't be listened on: somebody does already.
    pub fn port_in_use(&self, port: u16) -> bool {
        self.listener(port).is_some() || self.host.port_taken(port)
    }

    /// The process of this machine that listens on a port.
    fn listener(&self, port: u16) -> Option<Pid> {
        self.procs.iter().find(|(_, p)| p.program.listening().contains(&port)).map(|(pid, _)| *pid)
    }

    /// The virtual time.
    pub fn now(&self) -> SimTime {
        self.host.now()
    }

    /// Counts time that the process has computed, beside its steps.
    pub fn spend(&mut self, computing: SimDuration) {
        let nanos = u64::try_from(computing.as_nanos()).unwrap_or(u64::MAX);
        self.core.cpu_nanos = self.core.cpu_nanos.saturating_add(nanos);
    }

    /// Whose texts the tool speaks.
    pub fn family(&self) -> Family {
        self.core.family
    }

    /// Whether the image is busybox-like.
    pub fn is_busybox(&self) -> bool {
        self.core.family == Family::Busybox
    }

    /// An absolute path for one relative to the working directory.
    pub fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') {
            path.to_owned()
        } else if self.core.cwd == "/" {
            format!("/{path}")
        } else {
            format!("{}/{path}", self.core.cwd)
        }
    }

    /// The files this process sees.
    pub fn fs(&self) -> &FileSystem {
        &self.sys.fs
    }

    fn who(&self) -> Credentials {
        self.core.who.clone()
    }

    /// `stat`; `lstat` where `follow` is false.
    ///
    /// # Errors
    /// [`Errno`], `NotFound` for an empty path.
    pub fn stat(&self, path: &str, follow: bool) -> Result<Stat, Errno> {
        if path.is_empty() {
            return Err(Errno::NotFound);
        }
        let path = self.absolute(path);
        if let Some(stat) = crate::machine::proc_stat(self, &path) {
            return stat;
        }
        self.sys.fs.stat(&*self.host, &self.core.who, &path, follow)
    }

    /// Whether there is something at the path (links followed).
    pub fn exists(&self, path: &str) -> bool {
        self.stat(path, true).is_ok()
    }

    /// Whether the path is a directory (links followed).
    pub fn is_dir(&self, path: &str) -> bool {
        self.stat(path, true).is_ok_and(|s| s.is_dir)
    }

    /// `access(2)`: whether read (4), write (2) or execute (1) is allowed.
    pub fn access(&self, path: &str, want: u32) -> bool {
        let path = self.absolute(path);
        if crate::machine::proc_stat(self, &path).is_some_and(|s| s.is_ok()) {
            return want == 4;
        }
        let fs = &self.sys.fs;
        match fs.resolve(&*self.host, &self.core.who, &path, true) {
            Ok(at) => fs.inode(&*self.host, &at).is_some_and(|i| self.core.who.allows(i, want)),
            Err(_) => false,
        }
    }

    /// The path without links and dots.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn real_path(&self, path: &str) -> Result<String, Errno> {
        if path.is_empty() {
            return Err(Errno::NotFound);
        }
        let path = self.absolute(path);
        self.sys.fs.resolve(&*self.host, &self.core.who, &path, true).map(|l| l.path)
    }

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn list(&self, path: &str) -> Result<Vec<String>, Errno> {
        let path = self.absolute(path);
        if let Some(names) = crate::machine::proc_list(self, &path) {
            return Ok(names);
        }
        self.sys.fs.list(&*self.host, &self.core.who, &path)
    }

    /// A file's bytes with its zero tail apart.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn read_content(&self, path: &str) -> Result<Content, Errno> {
        if path.is_empty() {
            return Err(Errno::NotFound);
        }
        let path = self.absolute(path);
        if let Some(text) = crate::machine::proc_read(self, &path) {
            return Ok(Content::new(text.into_bytes()));
        }
        self.sys.fs.read(&*self.host, &self.core.who, &path)
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn read_file(&self, path: &str) -> Result<Vec<u8>, Errno> {
        self.read_content(path).map(|c| c.bytes.as_ref().clone())
    }

    /// Writes a whole file, or appends to it.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn write_file(&mut self, path: &str, data: &[u8], append: bool) -> Result<(), Errno> {
        let id = self.open_path(path, false, true, !append, append, false)?;
        let result = self.write_open(id, data);
        self.sys.open.close(id);
        result
    }

    /// Makes a directory with mode 0777 less the mask.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn mkdir(&mut self, path: &str, mode: u32) -> Result<(), Errno> {
        let (path, who, now) = (self.absolute(path), self.who(), self.now());
        let mode = mode & !self.core.umask;
        self.sys.fs.mkdir(&mut *self.host, &who, &path, mode, now).map(drop)
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn symlink(&mut self, target: &str, path: &str) -> Result<(), Errno> {
        let (path, who, now) = (self.absolute(path), self.who(), self.now());
        let kind = Kind::Symlink(target.to_owned());
        self.sys.fs.make(&mut *self.host, &who, &path, kind, 0o777, now).map(drop)
    }

    /// Makes a hard link.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn hard_link(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let (from, to) = (self.absolute(from), self.absolute(to));
        let (who, now) = (self.who(), self.now());
        self.sys.fs.link(&mut *self.host, &who, &from, &to, now)
    }

    /// Takes a file (or, where `dir`, an empty directory) away.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn remove(&mut self, path: &str, dir: bool) -> Result<(), Errno> {
        let (path, who, now) = (self.absolute(path), self.who(), self.now());
        self.sys.fs.remove(&mut *self.host, &who, &path, dir, now)
    }

    /// Moves within a volume.
    ///
    /// # Errors
    /// [`Errno`]; `CrossDevice` between volumes.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let (from, to) = (self.absolute(from), self.absolute(to));
        let (who, now) = (self.who(), self.now());
        self.sys.fs.rename(&mut *self.host, &who, &from, &to, now)
    }

    /// Changes owner, mode or times.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn set_attributes(
        &mut self,
        path: &str,
        follow: bool,
        change: &dyn Fn(&mut Inode),
    ) -> Result<(), Errno> {
        let (path, who) = (self.absolute(path), self.who());
        self.sys.fs.set_attributes(&mut *self.host, &who, &path, follow, change)
    }

    /// Opens a path; answers the description (one reference).
    pub(crate) fn open_path(
        &mut self,
        path: &str,
        read: bool,
        write: bool,
        truncate: bool,
        append: bool,
        excl: bool,
    ) -> Result<OpenId, Errno> {
        if path.is_empty() {
            return Err(Errno::NotFound);
        }
        let path = self.absolute(path);
        match path.as_str() {
            "/dev/stdin" | "/proc/self/fd/0" | "/dev/fd/0" => return self.reopen(0),
            "/dev/stdout" | "/proc/self/fd/1" | "/dev/fd/1" => return self.reopen(1),
            "/dev/stderr" | "/proc/self/fd/2" | "/dev/fd/2" => return self.reopen(2),
            _ => {}
        }
        if let Some(rest) = path.strip_prefix("/proc/")
            && let Some((pid, fd)) = rest.split_once("/fd/")
            && let (Ok(pid), Ok(fd)) = (pid.parse::<Pid>(), fd.parse::<u32>())
        {
            // `echo x > /proc/1/fd/1`: what pod examples do to write to the container's log.
            let id = if pid == self.core.pid {
                self.core.fds.get(&fd).copied()
            } else {
                self.procs.get(&pid).and_then(|p| p.core.fds.get(&fd).copied())
            };
            return id.map(|id| self.sys.open.dup(id)).ok_or(Errno::NotFound);
        }
        if let Some(text) = crate::machine::proc_read(self, &path) {
            if write {
                return Err(Errno::PermissionDenied);
            }
            let kind = OpenKind::Bytes(Arc::new(text.into_bytes()));
            return Ok(self.sys.open.open(kind, true, false));
        }
        let who = self.who();
        let now = self.now();
        let at: Location = if write {
            let mode = 0o666 & !self.core.umask;
            self.sys.fs.open_write(&mut *self.host, &who, &path, truncate, excl, mode, now)?
        } else {
            self.sys.fs.resolve(&*self.host, &who, &path, true)?
        };
        let inode = self.sys.fs.inode(&*self.host, &at).ok_or(Errno::NotFound)?;
        if read && !who.allows(inode, 4) {
            return Err(Errno::PermissionDenied);
        }
        let kind = match &inode.kind {
            Kind::Dir(_) if write => return Err(Errno::IsADirectory),
            Kind::Dir(_) => OpenKind::Dir,
            Kind::Device(d) => match d {
                Device::Null => OpenKind::Null,
                Device::Zero => OpenKind::Zero,
                Device::Full => OpenKind::Full,
                Device::Random => OpenKind::Random,
                Device::Stdin => return self.reopen(0),
                Device::Stdout => return self.reopen(1),
                Device::Stderr => return self.reopen(2),
                Device::Tty => return self.reopen(0),
            },
            Kind::Program(name) => OpenKind::Bytes(Arc::new(format!("\x7fELF{name}").into_bytes())),
            _ => OpenKind::File { mount: at.mount, ino: at.ino, append },
        };
        Ok(self.sys.open.open(kind, read, write))
    }

    fn reopen(&mut self, fd: u32) -> Result<OpenId, Errno> {
        self.core.fds.get(&fd).copied().map(|id| self.sys.open.dup(id)).ok_or(Errno::NotFound)
    }

    /// Opens a path and gives it the lowest free descriptor from 3.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn open(&mut self, path: &str) -> Result<u32, Errno> {
        let id = self.open_path(path, true, false, false, false, false)?;
        self.adopt(id)
    }

    /// Opens a path to write and gives it the lowest free descriptor from 3.
    ///
    /// # Errors
    /// [`Errno`].
    pub fn open_write(&mut self, path: &str, append: bool) -> Result<u32, Errno> {
        let id = self.open_path(path, false, true, !append, append, false)?;
        self.adopt(id)
    }

    pub(crate) fn adopt(&mut self, id: OpenId) -> Result<u32, Errno> {
        if self.core.fds.len() >= MAX_FDS {
            self.sys.open.close(id);
            return Err(Errno::BadFd);
        }
        let fd = (3..).find(|fd| !self.core.fds.contains_key(fd)).unwrap_or(u32::MAX);
        self.core.fds.insert(fd, id);
        Ok(fd)
    }

    /// Closes a descriptor.
    pub fn close(&mut self, fd: u32) {
        if let Some(id) = self.core.fds.remove(&fd) {
            self.sys.open.close(id);
        }
    }

    /// Whether the descriptor is open on a terminal.
    pub fn is_tty(&self, fd: u32) -> bool {
        self.core
            .fds
            .get(&fd)
            .and_then(|id| self.sys.open.files.get(id))
            .is_some_and(|f| matches!(f.kind, OpenKind::Terminal { .. }))
    }

    /// Reads at most `max` bytes.
    pub fn read(&mut self, fd: u32, max: usize) -> Read {
        let Some(&id) = self.core.fds.get(&fd) else { return Read::Failed(Errno::BadFd) };
        let Some(file) = self.sys.open.files.get(&id) else { return Read::Failed(Errno::BadFd) };
        if !file.readable {
            return Read::Failed(Errno::BadFd);
        }
        let offset = file.offset;
        let data: Vec<u8> = match file.kind.clone() {
            OpenKind::Null | OpenKind::PipeWrite(_) | OpenKind::Sink { .. } => return Read::Eof,
            OpenKind::Zero | OpenKind::Full => vec![0; max.min(1 << 16)],
            OpenKind::Random => {
                let mut out = Vec::new();
                while out.len() < max.min(1 << 12) {
                    out.extend_from_slice(&self.host.random().to_le_bytes());
                }
                out.truncate(max);
                out
            }
            OpenKind::Dir => return Read::Failed(Errno::IsADirectory),
            OpenKind::Bytes(bytes) => slice(&bytes, 0, offset, max),
            OpenKind::File { mount, ino, .. } => {
                let volume = self.sys.fs.volume(&*self.host, mount);
                match volume.and_then(|v| v.get(ino)).map(|i| &i.kind) {
                    Some(Kind::File(c)) => slice(&c.bytes, c.zeros, offset, max),
                    _ => return Read::Eof,
                }
            }
            OpenKind::PipeRead(p) => match self.sys.open.pipes.get_mut(&p) {
                Some(pipe) if !pipe.buf.is_empty() => {
                    let n = pipe.buf.len().min(max);
                    pipe.buf.drain(..n).collect()
                }
                Some(pipe) if pipe.writers > 0 => return Read::Blocked,
                _ => return Read::Eof,
            },
            OpenKind::Terminal { id, .. } | OpenKind::Input { id } => match self.sys.open.inputs.get_mut(&id)
            {
                Some(input) if !input.buf.is_empty() => {
                    let n = input.buf.len().min(max);
                    input.buf.drain(..n).collect()
                }
                Some(input) if input.eof => {
                    input.eof = false;
                    return Read::Eof;
                }
                Some(input) if !input.closed => return Read::Blocked,
                _ => return Read::Eof,
            },
        };
        if data.is_empty() {
            return Read::Eof;
        }
        if let Some(f) = self.sys.open.files.get_mut(&id) {
            f.offset += data.len() as u64;
        }
        Read::Data(data)
    }

    /// Gives bytes back to a descriptor that read too much, so that a child finds them (what a shell does with
    /// its script on standard input).
    pub(crate) fn unread(&mut self, fd: u32, data: &[u8]) {
        let Some(&id) = self.core.fds.get(&fd) else { return };
        let Some(file) = self.sys.open.files.get_mut(&id) else { return };
        file.offset = file.offset.saturating_sub(data.len() as u64);
        let buf = match file.kind {
            OpenKind::PipeRead(p) => self.sys.open.pipes.get_mut(&p).map(|p| &mut p.buf),
            OpenKind::Terminal { id, .. } | OpenKind::Input { id } => {
                self.sys.open.inputs.get_mut(&id).map(|i| &mut i.buf)
            }
            _ => None,
        };
        if let Some(buf) = buf {
            for b in data.iter().rev() {
                buf.push_front(*b);
            }
        }
    }

    /// Writes to a descriptor. Bytes a full pipe cannot take are kept and the process waits after this step.
    /// A failure is also remembered: a tool ends with `write error` where it did not look itself.
    ///
    /// # Errors
    /// `BadFd`, `NoSpace`, `ReadOnly`.
    pub fn write(&mut self, fd: u32, data: &[u8]) -> Result<(), Errno> {
        let Some(&id) = self.core.fds.get(&fd) else {
            if fd == 1 {
                self.core.write_error = Some(Errno::BadFd);
            }
            return Err(Errno::BadFd);
        };
        let result = self.write_open(id, data);
        if let Err(e) = result
            && fd == 1
        {
            self.core.write_error = Some(e);
        }
        result
    }

    pub(crate) fn write_open(&mut self, id: OpenId, data: &[u8]) -> Result<(), Errno> {
        if data.is_empty() {
            return Ok(());
        }
        let Some(file) = self.sys.open.files.get_mut(&id) else { return Err(Errno::BadFd) };
        if !file.writable {
            return Err(Errno::BadFd);
        }
        match file.kind.clone() {
            OpenKind::Null | OpenKind::Zero | OpenKind::Random | OpenKind::Bytes(_) => Ok(()),
            OpenKind::Full => Err(Errno::NoSpace),
            OpenKind::Dir | OpenKind::PipeRead(_) | OpenKind::Input { .. } => Err(Errno::BadFd),
            OpenKind::Sink { id, stderr } => {
                let stream = if stderr { crate::Stream::Stderr } else { crate::Stream::Stdout };
                self.host.output(id, stream, data);
                Ok(())
            }
            OpenKind::Terminal { id, stderr } => {
                let stream = if stderr { crate::Stream::Stderr } else { crate::Stream::Stdout };
                self.host.output(id, stream, data);
                Ok(())
            }
            OpenKind::File { mount, ino, append } => {
                let offset = if append { None } else { Some(file.offset) };
                file.offset += data.len() as u64;
                let now = self.host.now();
                match self.sys.fs.write(&mut *self.host, mount, ino, offset, data, now) {
                    // Deleted while open: the bytes go with it.
                    Err(Errno::NotFound) => Ok(()),
                    other => other,
                }
            }
            OpenKind::PipeWrite(_) => {
                let id = self.sys.open.dup(id);
                self.core.pending_out.push_back((id, data.to_vec()));
                self.sys.flush(self.core);
                Ok(())
            }
        }
    }

    /// Appends zeros to the file behind a descriptor without storing them; `None` where it is no file.
    pub(crate) fn write_zeros(&mut self, fd: u32, count: u64) -> Option<Result<(), Errno>> {
        let id = self.core.fds.get(&fd)?;
        let file = self.sys.open.files.get_mut(id)?;
        let OpenKind::File { mount, ino, .. } = file.kind else { return None };
        file.offset += count;
        let now = self.host.now();
        Some(self.sys.fs.write_zeros(&mut *self.host, mount, ino, count, now))
    }

    /// Writes text to standard output.
    pub fn out(&mut self, text: impl AsRef<[u8]>) {
        let _ = self.write(1, text.as_ref());
    }

    /// Writes text to standard error.
    pub fn err(&mut self, text: impl AsRef<[u8]>) {
        let _ = self.write(2, text.as_ref());
    }

    /// The name the program was called by, without directories.
    pub fn name(&self) -> String {
        let argv0 = self.core.argv.first().map_or("", String::as_str);
        argv0.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Writes `name: text` and a newline to standard error and answers `code`.
    pub fn fail(&mut self, code: i32, text: impl std::fmt::Display) -> i32 {
        let line = format!("{}: {text}\n", self.name());
        self.err(line);
        code
    }

    /// Finds an executable by name along `PATH`, or by path.
    ///
    /// # Errors
    /// `NotFound`; `PermissionDenied` where there is a file that may not be executed.
    pub fn find_program(&self, name: &str, path_var: &str) -> Result<String, Errno> {
        self.locate_program(name, path_var).map(|(path, _)| path)
    }

    /// As [`Ctx::find_program`], with the place of the file.
    ///
    /// # Errors
    /// As [`Ctx::find_program`].
    pub(crate) fn locate_program(&self, name: &str, path_var: &str) -> Result<(String, Location), Errno> {
        if name.contains('/') {
            return self.executable(name).map(|at| (name.to_owned(), at));
        }
        let mut worst = Errno::NotFound;
        for dir in path_var.split(':') {
            let dir = if dir.is_empty() { "." } else { dir };
            let full = [dir, "/", name].concat();
            match self.executable(&full) {
                Ok(at) => return Ok((full, at)),
                Err(Errno::PermissionDenied) => worst = Errno::PermissionDenied,
                Err(_) => {}
            }
        }
        Err(worst)
    }

    /// Where the file at a path is, if it may be executed.
    fn executable(&self, path: &str) -> Result<Location, Errno> {
        if path.is_empty() {
            return Err(Errno::NotFound);
        }
        let made: String;
        let path = if path.starts_with('/') {
            path
        } else {
            made = self.absolute(path);
            &made
        };
        if let Some(stat) = crate::machine::proc_stat(self, path) {
            // Nothing of what the kernel shows of processes can be executed.
            return Err(stat.err().unwrap_or(Errno::PermissionDenied));
        }
        let fs = &self.sys.fs;
        let at = fs.resolve(&*self.host, &self.core.who, path, true)?;
        let inode = fs.inode(&*self.host, &at).ok_or(Errno::NotFound)?;
        if inode.is_dir() || !self.core.who.allows(inode, 1) {
            return Err(Errno::PermissionDenied);
        }
        Ok(at)
    }

    /// Makes the program behind an executable file. The arguments change where the file is a script (`#!`).
    ///
    /// # Errors
    /// [`Errno`]; `ExecFormat` for a file that is neither a program nor a script with `#!`.
    pub fn load(&mut self, path: &str, argv: &mut Vec<String>) -> Result<(Box<dyn Program>, Family), Errno> {
        let at = self.executable(path)?;
        self.load_at(path.to_owned(), at, argv)
    }

    /// As [`Ctx::load`], for a file whose place is known.
    ///
    /// # Errors
    /// As [`Ctx::load`].
    pub(crate) fn load_at(
        &mut self,
        path: String,
        at: Location,
        argv: &mut Vec<String>,
    ) -> Result<(Box<dyn Program>, Family), Errno> {
        let (mut path, mut known) = (path, Some(at));
        for _ in 0..MAX_INTERPRETERS {
            let at = match known.take() {
                Some(at) => at,
                None => self.executable(&path)?,
            };
            let inode = self.sys.fs.inode(&*self.host, &at).ok_or(Errno::NotFound)?;
            match &inode.kind {
                Kind::Program(name) => {
                    let name = name.clone();
                    if let Some(found) = crate::tools::make(&name, argv) {
                        return Ok(found);
                    }
                    let program = self.host.program(&name, argv).ok_or(Errno::ExecFormat)?;
                    return Ok((program, self.core.family));
                }
                Kind::File(c) => {
                    if **c.bytes == *ENTRYPOINT.as_bytes()
                        && let Some((server, at)) = self.server_named(argv)
                    {
                        argv.remove(0);
                        (path, known) = (server, Some(at));
                        continue;
                    }
                    let Some(rest) = c.bytes.strip_prefix(b"#!") else { return Err(Errno::ExecFormat) };
                    let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
                    let line = String::from_utf8_lossy(line).trim().to_owned();
                    let (interpreter, arg) = match line.split_once(char::is_whitespace) {
                        Some((i, a)) => (i.to_owned(), Some(a.trim().to_owned())),
                        None => (line, None),
                    };
                    if interpreter.is_empty() {
                        return Err(Errno::ExecFormat);
                    }
                    let mut new = vec![interpreter.clone()];
                    new.extend(arg);
                    new.push(path.clone());
                    new.extend(argv.drain(..).skip(1));
                    *argv = new;
                    path = interpreter;
                }
                _ => return Err(Errno::PermissionDenied),
            }
        }
        Err(Errno::Loop)
    }

    /// The path of the server that the arguments name: a program of the image's own, that no tool stands for.
    fn server_named(&self, argv: &[String]) -> Option<(String, Location)> {
        let name = argv.get(1)?;
        let (found, at) = self
            .locate_program(name, self.core.env_var("PATH").unwrap_or(crate::userland::DEFAULT_PATH))
            .ok()?;
        match &self.sys.fs.inode(&*self.host, &at)?.kind {
            // Tools stand in files as `userland:name`.
            Kind::Program(program) if !program.contains(':') => Some((found, at)),
            _ => None,
        }
    }

    /// Starts a child that runs `program`. `fds`: its descriptors, references handed over; `None` copies mine.
    ///
    /// # Errors
    /// The text of `fork`'s failure at the cap is `Resource temporarily unavailable`.
    pub(crate) fn spawn(
        &mut self,
        program: Box<dyn Program>,
        family: Family,
        argv: Vec<String>,
        env: Option<Arc<Vec<(String, String)>>>,
        fds: Option<BTreeMap<u32, OpenId>>,
    ) -> Result<Pid, &'static str> {
        let fds = match fds {
            Some(fds) => fds,
            None => self.dup_fds(),
        };
        if self.procs.len() >= MAX_PROCESSES {
            for id in fds.into_values() {
                self.sys.open.close(id);
            }
            return Err("Resource temporarily unavailable");
        }
        let pid = self.sys.next_pid();
        let now = self.now();
        let core = Core {
            pid,
            ppid: self.core.pid,
            argv,
            env: env.unwrap_or_else(|| self.core.env.clone()),
            cwd: self.core.cwd.clone(),
            who: self.core.who.clone(),
            umask: self.core.umask,
            family,
            started: now,
            pgid: self.core.pgid,
            init: false,
            orphan: false,
            ignored: self.core.ignored.clone(),
            fds,
            pending_out: Default::default(),
            write_error: None,
            broken_pipe: false,
            signals: Default::default(),
            cpu_nanos: 0,
            steps: 0,
            // A child shares what its parent has left, else a fork bomb or a loop of commands would run free.
            credit: self.core.credit,
            credit_at: now,
        };
        self.procs.insert(pid, Box::new(Process { core, program, state: State::Ready }));
        Ok(pid)
    }

    pub(crate) fn dup_fds(&mut self) -> BTreeMap<u32, OpenId> {
        for id in self.core.fds.values() {
            self.sys.open.dup(*id);
        }
        self.core.fds.clone()
    }

    /// Starts a command found along `PATH` as a child with my descriptors.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, …
    pub fn spawn_command(&mut self, mut argv: Vec<String>) -> Result<Pid, Errno> {
        let name = argv.first().cloned().unwrap_or_default();
        let path_var = self.core.env_var("PATH").unwrap_or(crate::userland::DEFAULT_PATH).to_owned();
        let path = self.find_program(&name, &path_var)?;
        let (program, family) = self.load(&path, &mut argv)?;
        self.spawn(program, family, argv, None, None).map_err(|_| Errno::NoSpace)
    }

    /// Takes the exit of a child that ended; `None` while it runs. `Err` where it is no child of mine.
    ///
    /// # Errors
    /// [`Errno::NoSuchProcess`].
    pub fn reap(&mut self, pid: Pid) -> Result<Option<Exit>, Errno> {
        match self.procs.get(&pid) {
            Some(p) if p.core.ppid == self.core.pid => match p.state {
                State::Zombie(exit) => {
                    let child_cpu = p.core.cpu_nanos;
                    self.procs.remove(&pid);
                    self.sys.dead_cpu_nanos += child_cpu;
                    Ok(Some(exit))
                }
                _ => Ok(None),
            },
            _ => Err(Errno::NoSuchProcess),
        }
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// `NoSuchProcess`; `NotPermitted` to another user's process.
    pub fn kill(&mut self, pid: Pid, signal: Option<Signal>) -> Result<(), Errno> {
        if pid == self.core.pid {
            if let Some(s) = signal {
                self.core.signals.push_back(s);
            }
            return Ok(());
        }
        let me = self.core.who.uid;
        let target = self.procs.get_mut(&pid).ok_or(Errno::NoSuchProcess)?;
        if me != 0 && target.core.who.uid != me {
            return Err(Errno::NotPermitted);
        }
        if let Some(s) = signal {
            // Nothing inside the machine can kill its process 1, not even KILL.
            let protected = target.core.init && matches!(s, Signal::KILL | Signal::STOP);
            if !protected && !matches!(target.state, State::Zombie(_)) {
                target.core.signals.push_back(s);
            }
        }
        Ok(())
    }

    /// All processes, by number, this one among them.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        let mut all: Vec<ProcessInfo> =
            self.procs.values().map(|p| crate::machine::process_info(p, self.now())).collect();
        all.push(ProcessInfo {
            pid: self.core.pid,
            ppid: self.core.ppid,
            uid: self.core.who.uid,
            argv: self.core.argv.clone(),
            cpu_nanos: self.core.cpu_nanos,
            memory_bytes: 700 << 10,
            state: 'R',
            started: self.core.started,
        });
        all.sort_by_key(|p| p.pid);
        all
    }

    /// The user's name from `/etc/passwd`.
    pub fn user_name(&self, uid: u32) -> Option<String> {
        self.lookup_id("/etc/passwd", uid)
    }

    /// The group's name from `/etc/group`.
    pub fn group_name(&self, gid: u32) -> Option<String> {
        self.lookup_id("/etc/group", gid)
    }

    fn lookup_id(&self, file: &str, id: u32) -> Option<String> {
        let text = self.read_file(file).ok()?;
        let text = String::from_utf8_lossy(&text);
        text.lines().find_map(|l| {
            let mut parts = l.split(':');
            let name = parts.next()?;
            (parts.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
        })
    }

    /// The number of a user (`/etc/passwd`) or group (`/etc/group`) by name.
    pub(crate) fn id_of(&self, file: &str, name: &str) -> Option<u32> {
        if let Ok(n) = name.parse() {
            return Some(n);
        }
        let text = self.read_file(file).ok()?;
        let text = String::from_utf8_lossy(&text);
        text.lines().find_map(|l| {
            let mut parts = l.split(':');
            (parts.next()? == name).then(|| parts.nth(1)?.parse().ok())?
        })
    }
}

fn slice(bytes: &[u8], zeros: u64, offset: u64, max: usize) -> Vec<u8> {
    let len = bytes.len() as u64;
    if offset < len {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(max).min(bytes.len());
        return bytes.get(start..end).unwrap_or_default().to_vec();
    }
    let left = (len + zeros).saturating_sub(offset).min(1 << 16);
    vec![0; usize::try_from(left).unwrap_or(0).min(max)]
}
