//! One tree of files.

use super::Errno;
use podlab_sim::SimTime;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The number of an inode within its [`Volume`].
pub type Ino = u64;

/// The inode of a volume's root directory.
pub const ROOT: Ino = 1;

/// The most inodes one volume may hold; `No space left on device` beyond.
const MAX_INODES: u64 = 50_000;

/// Real memory one volume may take, in bytes; zero-filled tails are free.
const MAX_REAL_BYTES: u64 = 32 << 20;

/// The longest name of a directory entry, in bytes (Linux's `NAME_MAX`).
const MAX_NAME: usize = 255;

/// What a regular file holds: bytes, then `zeros` further bytes of zero that take no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The bytes kept as they are.
    pub bytes: Arc<Vec<u8>>,
    /// How many zero bytes follow (what `dd if=/dev/zero` writes), so that large files cost nothing.
    pub zeros: u64,
}

impl Content {
    /// From plain bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Content {
        Content { bytes: Arc::new(bytes.into()), zeros: 0 }
    }

    /// The length in bytes as `stat` shows it.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64 + self.zeros
    }

    /// Whether the file is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The devices of `/dev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Device {
    Null,
    Zero,
    Full,
    Random,
    Stdin,
    Stdout,
    Stderr,
    Tty,
}

/// What an inode is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory: name → inode.
    Dir(BTreeMap<String, Ino>),
    /// A regular file.
    File(Content),
    /// A symbolic link and its target.
    Symlink(String),
    /// An executable whose behaviour a [`crate::Program`] supplies, by its name in the registry.
    Program(Arc<str>),
    /// A device of `/dev`.
    Device(Device),
}

/// A file, directory or link with its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inode {
    /// What it is and holds.
    pub kind: Kind,
    /// Permission bits, set-id and sticky bits (0o7777).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last modification, virtual time.
    pub mtime: SimTime,
    /// How many directory entries point here.
    pub nlink: u32,
}

impl Inode {
    /// The size in bytes as `stat` shows it.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::Dir(_) => 4096,
            Kind::File(c) => c.len(),
            Kind::Symlink(t) => t.len() as u64,
            Kind::Program(_) => 1_131_168,
            Kind::Device(_) => 0,
        }
    }

    /// Whether this is a directory.
    pub fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir(_))
    }
}

/// A tree of files: an image's root file system, an emptyDir, a ConfigMap volume, a node's disk.
///
/// Cloning is cheap: what was there at [`Volume::freeze`] is shared, only later changes are copied.
///
/// **Invariant:** [`ROOT`] exists and is a directory or (for a volume of one file) a regular file.
#[derive(Clone, Debug)]
pub struct Volume {
    base: Arc<BTreeMap<Ino, Inode>>,
    /// Changed inodes; `None` where one of `base` is gone.
    over: BTreeMap<Ino, Option<Inode>>,
    /// What is mounted somewhere by itself: it outlives its name.
    held: BTreeSet<Ino>,
    next: Ino,
    count: u64,
    used: u64,
    real: u64,
    /// How many bytes of file content fit; `None` is unbounded (but for the memory cap).
    pub capacity: Option<u64>,
    /// What `df` shows as the device, such as `overlay` or `tmpfs`.
    pub device: Arc<str>,
}

impl Default for Volume {
    fn default() -> Self {
        Volume::new(SimTime::START, "overlay")
    }
}

impl Volume {
    /// An empty volume whose root directory belongs to root with mode 0755.
    pub fn new(now: SimTime, device: &str) -> Volume {
        let root =
            Inode { kind: Kind::Dir(BTreeMap::new()), mode: 0o755, uid: 0, gid: 0, mtime: now, nlink: 2 };
        Volume {
            base: Arc::default(),
            over: BTreeMap::from([(ROOT, Some(root))]),
            held: BTreeSet::new(),
            next: ROOT + 1,
            count: 1,
            used: 0,
            real: 0,
            capacity: None,
            device: Arc::from(device),
        }
    }

    /// Shares everything there is now among the clones made later (call once an image is built).
    pub fn freeze(&mut self) {
        let mut all = (*self.base).clone();
        for (ino, inode) in std::mem::take(&mut self.over) {
            match inode {
                Some(i) => all.insert(ino, i),
                None => all.remove(&ino),
            };
        }
        self.base = Arc::new(all);
    }

    /// Bytes of file content in the volume (what counts against `emptyDir.sizeLimit`).
    pub fn used_bytes(&self) -> u64 {
        self.used
    }

    /// How many inodes there are.
    pub fn inode_count(&self) -> u64 {
        self.count
    }

    /// Reads an inode.
    pub fn get(&self, ino: Ino) -> Option<&Inode> {
        match self.over.get(&ino) {
            Some(changed) => changed.as_ref(),
            None => self.base.get(&ino),
        }
    }

    /// An inode to change its attributes. Content is changed by [`Volume::set_content`], which counts bytes.
    pub(crate) fn get_mut(&mut self, ino: Ino) -> Option<&mut Inode> {
        match self.over.entry(ino) {
            Entry::Occupied(changed) => changed.into_mut().as_mut(),
            Entry::Vacant(place) => place.insert(Some(self.base.get(&ino)?.clone())).as_mut(),
        }
    }

    fn entries_mut(&mut self, dir: Ino) -> Result<&mut BTreeMap<String, Ino>, Errno> {
        match self.get_mut(dir).map(|i| &mut i.kind) {
            Some(Kind::Dir(entries)) => Ok(entries),
            Some(_) => Err(Errno::NotADirectory),
            None => Err(Errno::NotFound),
        }
    }

    /// The inode of the name in that directory.
    pub fn child(&self, dir: Ino, name: &str) -> Option<Ino> {
        match &self.get(dir)?.kind {
            Kind::Dir(entries) => entries.get(name).copied(),
            _ => None,
        }
    }

    /// Follows a relative path (no symbolic links but within this volume, at most 40 of them).
    pub fn lookup(&self, path: &str) -> Option<Ino> {
        let mut todo: Vec<&str> = path.split('/').rev().collect();
        let mut at = vec![ROOT];
        let mut links = 0;
        while let Some(part) = todo.pop() {
            match part {
                "" | "." => {}
                ".." => {
                    if at.len() > 1 {
                        at.pop();
                    }
                }
                name => {
                    let ino = self.child(*at.last()?, name)?;
                    if let Some(Inode { kind: Kind::Symlink(target), .. }) = self.get(ino) {
                        links += 1;
                        if links > 40 {
                            return None;
                        }
                        if target.starts_with('/') {
                            at.truncate(1);
                        }
                        todo.extend(target.split('/').rev());
                    } else {
                        at.push(ino);
                    }
                }
            }
        }
        at.last().copied()
    }

    /// Adds an inode under a name.
    ///
    /// # Errors
    /// `Exists` where the name is taken, `NoSpace` at the caps, `NotADirectory`, `TooLong`.
    pub fn create(&mut self, dir: Ino, name: &str, inode: Inode) -> Result<Ino, Errno> {
        if name.len() > MAX_NAME {
            return Err(Errno::TooLong);
        }
        if self.count >= MAX_INODES {
            return Err(Errno::NoSpace);
        }
        let now = inode.mtime;
        let ino = self.next;
        let is_dir = inode.is_dir();
        let entries = self.entries_mut(dir)?;
        if entries.contains_key(name) {
            return Err(Errno::Exists);
        }
        entries.insert(name.to_owned(), ino);
        if let Some(d) = self.get_mut(dir) {
            d.mtime = now;
            d.nlink += u32::from(is_dir);
        }
        let (len, real) = match &inode.kind {
            Kind::File(c) => (c.len(), c.bytes.len() as u64),
            _ => (0, 0),
        };
        self.next += 1;
        self.count += 1;
        self.used += len;
        self.real += real;
        self.over.insert(ino, Some(inode));
        Ok(ino)
    }

    /// Takes a name away; the inode goes with its last name.
    ///
    /// # Errors
    /// `NotFound`, `NotEmpty`.
    pub fn remove(&mut self, dir: Ino, name: &str, now: SimTime) -> Result<(), Errno> {
        let ino = self.child(dir, name).ok_or(Errno::NotFound)?;
        if let Some(Inode { kind: Kind::Dir(e), .. }) = self.get(ino)
            && !e.is_empty()
        {
            return Err(Errno::NotEmpty);
        }
        self.entries_mut(dir)?.remove(name);
        let is_dir = self.get(ino).is_some_and(Inode::is_dir);
        if let Some(d) = self.get_mut(dir) {
            d.mtime = now;
            d.nlink = d.nlink.saturating_sub(u32::from(is_dir));
        }
        let gone = match self.get_mut(ino) {
            Some(i) => {
                i.nlink = i.nlink.saturating_sub(1);
                is_dir || i.nlink == 0
            }
            None => false,
        };
        if gone {
            self.drop_inode(ino);
        }
        Ok(())
    }

    /// Takes away a whole tree below a name.
    pub fn remove_all(&mut self, dir: Ino, name: &str, now: SimTime) -> Result<(), Errno> {
        let top = self.child(dir, name).ok_or(Errno::NotFound)?;
        let mut todo = vec![top];
        while let Some(ino) = todo.pop() {
            if let Some(Inode { kind: Kind::Dir(e), .. }) = self.get(ino) {
                todo.extend(e.values().copied());
                if let Ok(entries) = self.entries_mut(ino) {
                    entries.clear();
                }
                if ino != top {
                    self.drop_inode(ino);
                }
            } else if ino != top {
                let last = self.get_mut(ino).is_some_and(|i| {
                    i.nlink = i.nlink.saturating_sub(1);
                    i.nlink == 0
                });
                if last {
                    self.drop_inode(ino);
                }
            }
        }
        self.remove(dir, name, now)
    }

    /// Keeps what is there for whoever has it mounted (a `subPath`), even when its last name goes.
    pub fn hold(&mut self, ino: Ino) {
        self.held.insert(ino);
    }

    fn drop_inode(&mut self, ino: Ino) {
        if self.held.contains(&ino) {
            return;
        }
        if let Some(Inode { kind: Kind::File(c), .. }) = self.get(ino) {
            let (len, real) = (c.len(), c.bytes.len() as u64);
            self.used = self.used.saturating_sub(len);
            self.real = self.real.saturating_sub(real);
        }
        if self.get(ino).is_some() {
            self.count = self.count.saturating_sub(1);
        }
        if self.base.contains_key(&ino) {
            self.over.insert(ino, None);
        } else {
            self.over.remove(&ino);
        }
    }

    /// Adds a further name for an inode.
    pub fn link(&mut self, dir: Ino, name: &str, ino: Ino, now: SimTime) -> Result<(), Errno> {
        let entries = self.entries_mut(dir)?;
        if entries.contains_key(name) {
            return Err(Errno::Exists);
        }
        entries.insert(name.to_owned(), ino);
        if let Some(d) = self.get_mut(dir) {
            d.mtime = now;
        }
        if let Some(i) = self.get_mut(ino) {
            i.nlink += 1;
        }
        Ok(())
    }

    /// Moves a name, replacing what was there (a directory only if empty).
    pub fn rename(&mut self, from: (Ino, &str), to: (Ino, &str), now: SimTime) -> Result<(), Errno> {
        let ino = self.child(from.0, from.1).ok_or(Errno::NotFound)?;
        if let Some(old) = self.child(to.0, to.1) {
            if old == ino {
                return Ok(());
            }
            self.remove(to.0, to.1, now)?;
        }
        self.entries_mut(from.0)?.remove(from.1);
        self.entries_mut(to.0)?.insert(to.1.to_owned(), ino);
        for dir in [from.0, to.0] {
            if let Some(d) = self.get_mut(dir) {
                d.mtime = now;
            }
        }
        Ok(())
    }

    /// Replaces a file's content.
    ///
    /// # Errors
    /// `NoSpace` beyond the capacity or the memory cap, `IsADirectory`.
    pub fn set_content(&mut self, ino: Ino, content: Content, now: SimTime) -> Result<(), Errno> {
        let (old_len, old_real) = match self.get(ino).map(|i| &i.kind) {
            Some(Kind::File(c)) => (c.len(), c.bytes.len() as u64),
            Some(Kind::Dir(_)) => return Err(Errno::IsADirectory),
            Some(_) => (0, 0),
            None => return Err(Errno::NotFound),
        };
        let used = self.used.saturating_sub(old_len).saturating_add(content.len());
        let real = self.real.saturating_sub(old_real).saturating_add(content.bytes.len() as u64);
        let grows = content.len() > old_len;
        if grows && (real > MAX_REAL_BYTES || self.capacity.is_some_and(|c| used > c)) {
            return Err(Errno::NoSpace);
        }
        self.used = used;
        self.real = real;
        if let Some(inode) = self.get_mut(ino) {
            inode.kind = Kind::File(content);
            inode.mtime = now;
        }
        Ok(())
    }

    /// Appends to a file.
    ///
    /// # Errors
    /// As [`Volume::set_content`].
    pub fn append(&mut self, ino: Ino, data: &[u8], now: SimTime) -> Result<(), Errno> {
        let real = self.real.saturating_add(data.len() as u64);
        let used = self.used.saturating_add(data.len() as u64);
        if real > MAX_REAL_BYTES || self.capacity.is_some_and(|c| used > c) {
            return Err(Errno::NoSpace);
        }
        let Some(inode) = self.get_mut(ino) else { return Err(Errno::NotFound) };
        inode.mtime = now;
        match &mut inode.kind {
            Kind::File(c) => {
                let zeros = c.zeros;
                let bytes = Arc::make_mut(&mut c.bytes);
                if zeros > 0 {
                    // Real bytes behind a zero tail: the tail has to become real as far as memory allows.
                    let fill = usize::try_from(zeros.min(MAX_REAL_BYTES)).unwrap_or(0);
                    bytes.resize(bytes.len().saturating_add(fill), 0);
                    c.zeros = 0;
                }
                bytes.extend_from_slice(data);
            }
            Kind::Dir(_) => return Err(Errno::IsADirectory),
            _ => return Err(Errno::InvalidArgument),
        }
        self.real = real;
        self.used = used;
        Ok(())
    }

    /// Makes the directories of a path inside this volume (mode 0755, root's) and answers the last one.
    ///
    /// # Errors
    /// `NotADirectory` where a part is a file.
    pub fn make_dirs(&mut self, path: &str, now: SimTime) -> Result<Ino, Errno> {
        self.make_dirs_in(ROOT, path, now)
    }

    fn make_dirs_in(&mut self, dir: Ino, path: &str, now: SimTime) -> Result<Ino, Errno> {
        let mut at = dir;
        for part in path.split('/').filter(|p| !p.is_empty() && *p != ".") {
            at = match self.child(at, part) {
                Some(ino) => match self.get(ino).map(|i| &i.kind) {
                    Some(Kind::Dir(_)) => ino,
                    Some(Kind::Symlink(target)) => {
                        let target = target.clone();
                        self.lookup(&target).ok_or(Errno::NotFound)?
                    }
                    _ => return Err(Errno::NotADirectory),
                },
                None => {
                    let dir = Inode {
                        kind: Kind::Dir(BTreeMap::new()),
                        mode: 0o755,
                        uid: 0,
                        gid: 0,
                        mtime: now,
                        nlink: 2,
                    };
                    self.create(at, part, dir)?
                }
            };
        }
        Ok(at)
    }

    /// Puts an inode at a path, making directories and replacing what was there: for building images and volumes.
    ///
    /// # Errors
    /// As [`Volume::make_dirs`] and [`Volume::create`].
    pub fn put(&mut self, path: &str, kind: Kind, mode: u32, now: SimTime) -> Result<Ino, Errno> {
        self.put_in(ROOT, path, kind, mode, now)
    }

    /// As [`Volume::put`], at a path that begins in a directory.
    ///
    /// # Errors
    /// As [`Volume::put`].
    pub fn put_in(
        &mut self,
        base: Ino,
        path: &str,
        kind: Kind,
        mode: u32,
        now: SimTime,
    ) -> Result<Ino, Errno> {
        let path = path.trim_matches('/');
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let dir = self.make_dirs_in(base, dir, now)?;
        if name.is_empty() {
            return Ok(dir);
        }
        let old = self.child(dir, name);
        let plain = |i: &Inode| i.nlink == 1 && matches!(i.kind, Kind::File(_));
        let kind = match (old, kind) {
            // A file in place of a file: the directory, which may have many names, is left alone.
            (Some(ino), Kind::File(content)) if self.get(ino).is_some_and(plain) => {
                return self.rewrite(ino, content, mode, now).map(|()| ino);
            }
            (_, kind) => kind,
        };
        if old.is_some() {
            self.remove_all(dir, name, now)?;
        }
        self.create(dir, name, Inode { kind, mode, uid: 0, gid: 0, mtime: now, nlink: 1 })
    }

    /// Makes a file one of root's with another content and mode, as [`Volume::put`] does where a file with one name is.
    ///
    /// # Errors
    /// As [`Volume::set_content`].
    pub fn rewrite(&mut self, ino: Ino, content: Content, mode: u32, now: SimTime) -> Result<(), Errno> {
        self.set_content(ino, content, now)?;
        if let Some(inode) = self.get_mut(ino) {
            (inode.uid, inode.gid, inode.mode) = (0, 0, mode & 0o7777);
        }
        Ok(())
    }

    /// Puts a regular file of root's at a path. See [`Volume::put`].
    ///
    /// # Errors
    /// As [`Volume::put`].
    pub fn put_file(&mut self, path: &str, bytes: &[u8], mode: u32, now: SimTime) -> Result<Ino, Errno> {
        self.put(path, Kind::File(Content::new(bytes)), mode, now)
    }

    /// Sets owner and group of an inode.
    pub fn set_owner(&mut self, ino: Ino, uid: u32, gid: u32) {
        if let Some(inode) = self.get_mut(ino) {
            inode.uid = uid;
            inode.gid = gid;
        }
    }

    /// Sets the permission bits of an inode.
    pub fn set_mode(&mut self, ino: Ino, mode: u32) {
        if let Some(inode) = self.get_mut(ino) {
            inode.mode = mode & 0o7777;
        }
    }

    /// The bytes of the file at a path inside this volume, zero tail left out.
    pub fn read_path(&self, path: &str) -> Option<Arc<Vec<u8>>> {
        match &self.get(self.lookup(path)?)?.kind {
            Kind::File(c) => Some(c.bytes.clone()),
            _ => None,
        }
    }
}
