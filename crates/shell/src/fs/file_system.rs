//! A mount namespace: a root volume with other volumes mounted over directories, as one container sees it.

use super::{Content, Errno, Ino, Inode, Kind, ROOT, Volume};
use podlab_sim::SimTime;
use std::collections::BTreeMap;

/// Most symbolic links followed in one path (Linux's `MAXSYMLINKS`).
const MAX_LINKS: u32 = 40;
/// Longest path accepted, in bytes (Linux's `PATH_MAX`).
const MAX_PATH: usize = 4096;

/// Where mounted volumes live: they outlive a container and are shared between containers.
pub trait Volumes {
    /// The volume of that id.
    fn volume(&self, id: &str) -> Option<&Volume>;
    /// The volume of that id, to write.
    fn volume_mut(&mut self, id: &str) -> Option<&mut Volume>;
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups (`fsGroup`, `supplementalGroups`).
    pub groups: Vec<u32>,
}

impl Credentials {
    /// The superuser.
    pub fn root() -> Credentials {
        Credentials { uid: 0, gid: 0, groups: vec![0] }
    }

    fn in_group(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }

    /// Whether `inode` may be read (4), written (2), executed or searched (1).
    pub fn allows(&self, inode: &Inode, want: u32) -> bool {
        if self.uid == 0 {
            return want != 1 || inode.is_dir() || inode.mode & 0o111 != 0;
        }
        let bits = if inode.uid == self.uid {
            inode.mode >> 6
        } else if self.in_group(inode.gid) {
            inode.mode >> 3
        } else {
            inode.mode
        };
        bits & want == want
    }
}

/// A volume mounted over a directory or file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Absolute path in the container, without a trailing slash.
    pub path: String,
    /// The volume's id, resolved by the host.
    pub volume: String,
    /// What of the volume is seen: [`ROOT`], or the inode of a `subPath`.
    pub ino: Ino,
    /// Whether writes answer `Read-only file system`.
    pub read_only: bool,
}

/// A node in a namespace: which volume, which inode, and the path it was reached by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Index of the mount plus one; 0 is the root volume.
    pub mount: usize,
    /// The inode.
    pub ino: Ino,
    /// Absolute path without symbolic links.
    pub path: String,
}

/// What `stat` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Stat {
    pub ino: Ino,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub mtime: SimTime,
    pub nlink: u32,
    pub is_dir: bool,
    pub is_file: bool,
    pub is_device: bool,
    /// The target of a symbolic link (only where links are not followed).
    pub link: Option<String>,
    /// Which mount it lies on, for `mv` and `df`.
    pub mount: usize,
}

/// The files a container sees.
#[derive(Clone, Debug, Default)]
pub struct FileSystem {
    /// The image's files and what was written since.
    pub root: Volume,
    /// `readOnlyRootFilesystem`.
    pub root_read_only: bool,
    mounts: Vec<Mount>,
}

impl FileSystem {
    /// A namespace with that root.
    pub fn new(root: Volume) -> FileSystem {
        FileSystem { root, root_read_only: false, mounts: Vec::new() }
    }

    /// Mounts a volume, making the mount point (a directory, or a file where `ino` is one).
    pub fn mount(&mut self, mount: Mount, is_file: bool, now: SimTime) {
        let path = format!("/{}", mount.path.trim_matches('/'));
        if self.root.lookup(&path).is_none() {
            // A mount point below another mount needs no directory in the root volume.
            let _ = if is_file {
                self.root.put(&path, Kind::File(Content::default()), 0o644, now)
            } else {
                self.root.make_dirs(&path, now)
            };
        }
        self.mounts.push(Mount { path, ..mount });
    }

    /// The mounts in the order they were made.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// The volume behind a mount index of a [`Location`].
    pub fn volume<'a>(&'a self, vols: &'a dyn Volumes, mount: usize) -> Option<&'a Volume> {
        match mount.checked_sub(1) {
            None => Some(&self.root),
            Some(i) => vols.volume(&self.mounts.get(i)?.volume),
        }
    }

    fn volume_mut<'a>(&'a mut self, vols: &'a mut dyn Volumes, mount: usize) -> Option<&'a mut Volume> {
        match mount.checked_sub(1) {
            None => Some(&mut self.root),
            Some(i) => vols.volume_mut(&self.mounts.get(i)?.volume),
        }
    }

    fn read_only(&self, mount: usize) -> bool {
        match mount.checked_sub(1) {
            None => self.root_read_only,
            Some(i) => self.mounts.get(i).is_some_and(|m| m.read_only),
        }
    }

    /// The inode at a location.
    pub fn inode<'a>(&'a self, vols: &'a dyn Volumes, at: &Location) -> Option<&'a Inode> {
        self.volume(vols, at.mount)?.get(at.ino)
    }

    fn mounted_at(&self, path: &str) -> Option<(usize, Ino)> {
        // The last mount over a path hides the ones before.
        self.mounts.iter().enumerate().rev().find(|(_, m)| m.path == path).map(|(i, m)| (i + 1, m.ino))
    }

    /// Finds what an absolute path names; `follow` says whether a link as the last part is followed.
    ///
    /// # Errors
    /// `NotFound`, `NotADirectory`, `PermissionDenied` (a directory without search permission), `Loop`.
    pub fn resolve(
        &self,
        vols: &dyn Volumes,
        who: &Credentials,
        path: &str,
        follow: bool,
    ) -> Result<Location, Errno> {
        if path.len() > MAX_PATH {
            return Err(Errno::TooLong);
        }
        // Where we are and how we came: mount, inode, length of the path so far.
        let (mount, ino) = self.mounted_at("/").unwrap_or((0, ROOT));
        let mut full = String::with_capacity(path.len() + 1);
        let mut stack = Vec::with_capacity(8);
        stack.push((mount, ino, 0));
        // What is left of the path, and what comes after it: a link's target goes before the rest.
        let mut rest = path;
        let mut later: Vec<&str> = Vec::new();
        let wants_dir = path.len() > 1 && path.ends_with('/');
        let mut links = 0;
        loop {
            let part = match rest.split_once('/') {
                Some((part, more)) => {
                    rest = more;
                    part
                }
                None => std::mem::take(&mut rest),
            };
            if part.is_empty() {
                if !rest.is_empty() {
                    continue;
                }
                match later.pop() {
                    Some(more) => rest = more,
                    None => break,
                }
                continue;
            }
            let (mount, here, _) = stack.last().copied().unwrap_or((mount, ino, 0));
            let volume = self.volume(vols, mount).ok_or(Errno::NotFound)?;
            let inode = volume.get(here).ok_or(Errno::NotFound)?;
            let Kind::Dir(entries) = &inode.kind else { return Err(Errno::NotADirectory) };
            if !who.allows(inode, 1) {
                return Err(Errno::PermissionDenied);
            }
            match part {
                "." => {}
                ".." => {
                    if stack.len() > 1 {
                        stack.pop();
                        full.truncate(stack.last().map_or(0, |at| at.2));
                    }
                }
                name => {
                    let before = full.len();
                    full.push('/');
                    full.push_str(name);
                    if let Some((mount, ino)) = self.mounted_at(&full) {
                        stack.push((mount, ino, full.len()));
                        continue;
                    }
                    let child = *entries.get(name).ok_or(Errno::NotFound)?;
                    let last = later.iter().chain([&rest]).all(|left| left.bytes().all(|b| b == b'/'));
                    match volume.get(child).map(|i| &i.kind) {
                        Some(Kind::Symlink(target)) if !last || follow || wants_dir => {
                            links += 1;
                            let left: usize = later.iter().chain([&rest]).map(|left| left.len()).sum();
                            if links > MAX_LINKS || left > 2 * MAX_PATH {
                                return Err(Errno::Loop);
                            }
                            full.truncate(before);
                            if target.starts_with('/') {
                                stack.truncate(1);
                                full.clear();
                            }
                            later.push(std::mem::replace(&mut rest, target));
                        }
                        _ => stack.push((mount, child, full.len())),
                    }
                }
            }
        }
        let (mount, ino, _) = stack.last().copied().unwrap_or((mount, ino, 0));
        if full.is_empty() {
            full.push('/');
        }
        let found = Location { mount, ino, path: full };
        if wants_dir && !self.inode(vols, &found).is_some_and(Inode::is_dir) {
            return Err(Errno::NotADirectory);
        }
        Ok(found)
    }

    /// Finds the directory a path's last name lies in, and that name.
    fn parent(&self, vols: &dyn Volumes, who: &Credentials, path: &str) -> Result<(Location, String), Errno> {
        let trimmed = path.trim_end_matches('/');
        let (dir, name) = match trimmed.rsplit_once('/') {
            Some((dir, name)) => (if dir.is_empty() { "/" } else { dir }, name),
            None => return Err(Errno::Exists),
        };
        let at = self.resolve(vols, who, dir, true)?;
        if !self.inode(vols, &at).is_some_and(Inode::is_dir) {
            return Err(Errno::NotADirectory);
        }
        if name == "." || name == ".." {
            return Err(Errno::InvalidArgument);
        }
        Ok((at, name.to_owned()))
    }

    /// The parent, checked for the right to change entries in it.
    fn writable_parent(
        &self,
        vols: &dyn Volumes,
        who: &Credentials,
        path: &str,
    ) -> Result<(Location, String), Errno> {
        let (at, name) = self.parent(vols, who, path)?;
        if self.read_only(at.mount) {
            return Err(Errno::ReadOnly);
        }
        let inode = self.inode(vols, &at).ok_or(Errno::NotFound)?;
        if !who.allows(inode, 3) {
            return Err(Errno::PermissionDenied);
        }
        Ok((at, name))
    }

    /// What `stat` (or `lstat`, where `follow` is false) answers.
    ///
    /// # Errors
    /// As [`FileSystem::resolve`].
    pub fn stat(
        &self,
        vols: &dyn Volumes,
        who: &Credentials,
        path: &str,
        follow: bool,
    ) -> Result<Stat, Errno> {
        let at = self.resolve(vols, who, path, follow)?;
        let inode = self.inode(vols, &at).ok_or(Errno::NotFound)?;
        Ok(Stat {
            ino: at.ino,
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            size: inode.size(),
            mtime: inode.mtime,
            nlink: inode.nlink,
            is_dir: inode.is_dir(),
            is_file: matches!(inode.kind, Kind::File(_) | Kind::Program(_)),
            is_device: matches!(inode.kind, Kind::Device(_)),
            link: match &inode.kind {
                Kind::Symlink(t) => Some(t.clone()),
                _ => None,
            },
            mount: at.mount,
        })
    }

    /// The names in a directory, sorted by bytes, without `.` and `..`.
    ///
    /// # Errors
    /// As [`FileSystem::resolve`]; `NotADirectory`; `PermissionDenied`.
    pub fn list(&self, vols: &dyn Volumes, who: &Credentials, path: &str) -> Result<Vec<String>, Errno> {
        let at = self.resolve(vols, who, path, true)?;
        let inode = self.inode(vols, &at).ok_or(Errno::NotFound)?;
        match &inode.kind {
            Kind::Dir(entries) => {
                if !who.allows(inode, 4) {
                    return Err(Errno::PermissionDenied);
                }
                Ok(entries.keys().cloned().collect())
            }
            _ => Err(Errno::NotADirectory),
        }
    }

    /// A file's content.
    ///
    /// # Errors
    /// As [`FileSystem::resolve`]; `IsADirectory`, `PermissionDenied`.
    pub fn read(&self, vols: &dyn Volumes, who: &Credentials, path: &str) -> Result<Content, Errno> {
        let at = self.resolve(vols, who, path, true)?;
        let inode = self.inode(vols, &at).ok_or(Errno::NotFound)?;
        if !who.allows(inode, 4) {
            return Err(Errno::PermissionDenied);
        }
        match &inode.kind {
            Kind::File(c) => Ok(c.clone()),
            Kind::Dir(_) => Err(Errno::IsADirectory),
            Kind::Program(name) => {
                // An executable's bytes: enough to be seen as one, never text.
                Ok(Content::new(format!("\x7fELF\x02\x01\x01\0{name}\n").into_bytes()))
            }
            Kind::Symlink(_) => Err(Errno::Loop),
            Kind::Device(_) => Ok(Content::default()),
        }
    }

    /// Opens a file for writing, making it if need be; answers where it is.
    ///
    /// # Errors
    /// As [`FileSystem::resolve`]; `ReadOnly`, `PermissionDenied`, `IsADirectory`, `Exists` (with `excl`).
    #[allow(clippy::too_many_arguments)]
    pub fn open_write(
        &mut self,
        vols: &mut dyn Volumes,
        who: &Credentials,
        path: &str,
        truncate: bool,
        excl: bool,
        mode: u32,
        now: SimTime,
    ) -> Result<Location, Errno> {
        match self.resolve(vols, who, path, true) {
            Ok(at) => {
                let inode = self.inode(vols, &at).ok_or(Errno::NotFound)?;
                if inode.is_dir() {
                    return Err(Errno::IsADirectory);
                }
                if excl && !matches!(inode.kind, Kind::Device(_)) {
                    return Err(Errno::Exists);
                }
                if self.read_only(at.mount) && !matches!(inode.kind, Kind::Device(_)) {
                    return Err(Errno::ReadOnly);
                }
                if !who.allows(inode, 2) {
                    return Err(Errno::PermissionDenied);
                }
                if truncate && matches!(inode.kind, Kind::File(_)) {
                    let volume = self.volume_mut(vols, at.mount).ok_or(Errno::NotFound)?;
                    volume.set_content(at.ino, Content::default(), now)?;
                }
                Ok(at)
            }
            Err(Errno::NotFound) => {
                if path.ends_with('/') {
                    return Err(Errno::IsADirectory);
                }
                // A dangling link is followed to where the file is to be made.
                let mut target = path.to_owned();
                for _ in 0..MAX_LINKS {
                    match self.stat(vols, who, &target, false) {
                        Ok(Stat { link: Some(to), .. }) => {
                            target = if to.starts_with('/') {
                                to
                            } else {
                                let dir = target.rsplit_once('/').map_or("", |(d, _)| d);
                                format!("{dir}/{to}")
                            };
                        }
                        _ => break,
                    }
                }
                let inode = self.new_inode(Kind::File(Content::default()), mode, who, now);
                self.create(vols, who, &target, inode)
            }
            Err(e) => Err(e),
        }
    }

    fn new_inode(&self, kind: Kind, mode: u32, who: &Credentials, now: SimTime) -> Inode {
        let nlink = if matches!(kind, Kind::Dir(_)) { 2 } else { 1 };
        Inode { kind, mode: mode & 0o7777, uid: who.uid, gid: who.gid, mtime: now, nlink }
    }

    fn create(
        &mut self,
        vols: &mut dyn Volumes,
        who: &Credentials,
        path: &str,
        mut inode: Inode,
    ) -> Result<Location, Errno> {
        let (dir, name) = match self.parent(vols, who, path) {
            Ok((_, name)) if name.is_empty() => return Err(Errno::Exists),
            Ok(x) => x,
            Err(e) => return Err(e),
        };
        let parent = self.inode(vols, &dir).ok_or(Errno::NotFound)?;
        if let Kind::Dir(entries) = &parent.kind
            && entries.contains_key(&name)
        {
            return Err(Errno::Exists);
        }
        if self.read_only(dir.mount) {
            return Err(Errno::ReadOnly);
        }
        if !who.allows(parent, 3) {
            return Err(Errno::PermissionDenied);
        }
        if parent.mode & 0o2000 != 0 {
            // A set-group-id directory (fsGroup volumes) hands its group down.
            inode.gid = parent.gid;
            if inode.is_dir() {
                inode.mode |= 0o2000;
            }
        }
        let base = if dir.path == "/" { "" } else { dir.path.as_str() };
        let full = format!("{base}/{name}");
        let volume = self.volume_mut(vols, dir.mount).ok_or(Errno::NotFound)?;
        let ino = volume.create(dir.ino, &name, inode)?;
        Ok(Location { mount: dir.mount, ino, path: full })
    }

    /// Makes a directory, link, device or file.
    ///
    /// # Errors
    /// `Exists`, `NotFound` (no parent), `ReadOnly`, `PermissionDenied`, `NoSpace`.
    pub fn make(
        &mut self,
        vols: &mut dyn Volumes,
        who: &Credentials,
        path: &str,
        kind: Kind,
        mode: u32,
        now: SimTime,
    ) -> Result<Location, Errno> {
        let inode = self.new_inode(kind, mode, who, now);
        self.create(vols, who, path, inode)
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// As [`FileSystem::make`].
    pub fn mkdir(
        &mut self,
        vols: &mut dyn Volumes,
        who: &Credentials,
        path: &str,
        mode: u32,
        now: SimTime,
    ) -> Result<Location, Errno> {
        self.make(vols, who, path, Kind::Dir(BTreeMap::new()), mode, now)
    }

    /// Writes to a located file: at `offset`, or at its end where `None`.
    ///
    /// # Errors
    /// `NoSpace`, `ReadOnly`, `NotFound` (deleted meanwhile).
    pub fn write(
        &mut self,
        vols: &mut dyn Volumes,
        mount: usize,
        ino: Ino,
        offset: Option<u64>,
        data: &[u8],
        now: SimTime,
    ) -> Result<(), Errno> {
        if self.read_only(mount) {
            return Err(Errno::ReadOnly);
        }
        let volume = self.volume_mut(vols, mount).ok_or(Errno::NotFound)?;
        let old = match volume.get(ino).map(|i| &i.kind) {
            Some(Kind::File(c)) => c,
            Some(_) => return Err(Errno::InvalidArgument),
            None => return Err(Errno::NotFound),
        };
        match offset {
            None => volume.append(ino, data, now),
            Some(at) if at == old.len() => volume.append(ino, data, now),
            Some(at) => {
                let at = usize::try_from(at).map_err(|_| Errno::NoSpace)?;
                if at > 32 << 20 {
                    return Err(Errno::NoSpace);
                }
                let mut content = old.clone();
                let bytes = std::sync::Arc::make_mut(&mut content.bytes);
                let end = at.saturating_add(data.len());
                if bytes.len() < end {
                    content.zeros = content.zeros.saturating_sub((end - bytes.len()) as u64);
                    bytes.resize(end, 0);
                }
                if let Some(slot) = bytes.get_mut(at..end) {
                    slot.copy_from_slice(data);
                }
                volume.set_content(ino, content, now)
            }
        }
    }

    /// Appends `count` zero bytes that take no memory.
    ///
    /// # Errors
    /// As [`FileSystem::write`].
    pub fn write_zeros(
        &mut self,
        vols: &mut dyn Volumes,
        mount: usize,
        ino: Ino,
        count: u64,
        now: SimTime,
    ) -> Result<(), Errno> {
        if self.read_only(mount) {
            return Err(Errno::ReadOnly);
        }
        let volume = self.volume_mut(vols, mount).ok_or(Errno::NotFound)?;
        let mut content = match volume.get(ino).map(|i| &i.kind) {
            Some(Kind::File(c)) => c.clone(),
            _ => return Err(Errno::NotFound),
        };
        content.zeros = content.zeros.saturating_add(count);
        volume.set_content(ino, content, now)
    }

    /// Takes a name away (`unlink`, or `rmdir` where `dir`).
    ///
    /// # Errors
    /// `NotFound`, `IsADirectory`, `NotADirectory`, `NotEmpty`, `Busy` (a mount point), `ReadOnly`, `PermissionDenied`.
    pub fn remove(
        &mut self,
        vols: &mut dyn Volumes,
        who: &Credentials,
        path: &str,
        dir: bool,
        now: SimTime,
    ) -> Result<(), Errno> {
        let (at, name) = self.parent(vols, who, path)?;
        if name.is_empty() {
            return Err(Errno::Busy);
        }
        let base = if at.path == "/" { "" } else { at.path.as_str() };
        if self.mounted_at(&format!("{base}/{name}")).is_some() {
            return Err(Errno::Busy);
        }
        let volume = self.volume(vols, at.mount).ok_or(Errno::NotFound)?;
        let ino = volume.child(at.ino, &name).ok_or(Errno::NotFound)?;
        let inode = volume.get(ino).ok_or(Errno::NotFound)?;
        if inode.is_dir() != dir {
            return Err(if dir { Errno::NotADirectory } else { Errno::IsADirectory });
        }
        let owner = inode.uid;
        if self.read_only(at.mount) {
            return Err(Errno::ReadOnly);
        }
        let parent = self.inode(vols, &at).ok_or(Errno::NotFound)?;
        if !who.allows(parent, 3) {
            return Err(Errno::PermissionDenied);
        }
        if parent.mode & 0o1000 != 0 && who.uid != 0 && who.uid != owner && who.uid != parent.uid {
            return Err(Errno::NotPermitted);
        }
        self.volume_mut(vols, at.mount).ok_or(Errno::NotFound)?.remove(at.ino, &name, now)
    }

    /// Moves or renames within one volume.
    ///
    /// # Errors
    /// `CrossDevice` between volumes, else as [`FileSystem::remove`].
    pub fn rename(
        &mut self,
        vols: &mut dyn Volumes,
        who: &Credentials,
        from: &str,
        to: &str,
        now: SimTime,
    ) -> Result<(), Errno> {
        let (a, a_name) = self.writable_parent(vols, who, from)?;
        let (b, b_name) = self.writable_parent(vols, who, to)?;
        let base = if a.path == "/" { "" } else { a.path.as_str() };
        if self.mounted_at(&format!("{base}/{a_name}")).is_some() {
            return Err(Errno::Busy);
        }
        let same = a.mount == b.mount
            || match (a.mount.checked_sub(1), b.mount.checked_sub(1)) {
                (Some(x), Some(y)) => {
                    self.mounts.get(x).map(|m| &m.volume) == self.mounts.get(y).map(|m| &m.volume)
                }
                _ => false,
            };
        if !same {
            return Err(Errno::CrossDevice);
        }
        let inside = format!("{}/", from.trim_end_matches('/'));
        if to.starts_with(&inside) {
            return Err(Errno::InvalidArgument);
        }
        self.volume_mut(vols, a.mount).ok_or(Errno::NotFound)?.rename((a.ino, &a_name), (b.ino, &b_name), now)
    }

    /// Gives a file a further name.
    ///
    /// # Errors
    /// `CrossDevice`, `Exists`, `NotPermitted` (a directory), else as [`FileSystem::make`].
    pub fn link(
        &mut self,
        vols: &mut dyn Volumes,
        who: &Credentials,
        from: &str,
        to: &str,
        now: SimTime,
    ) -> Result<(), Errno> {
        let at = self.resolve(vols, who, from, false)?;
        if self.inode(vols, &at).is_some_and(Inode::is_dir) {
            return Err(Errno::NotPermitted);
        }
        let (dir, name) = self.writable_parent(vols, who, to)?;
        if at.mount != dir.mount {
            return Err(Errno::CrossDevice);
        }
        self.volume_mut(vols, dir.mount).ok_or(Errno::NotFound)?.link(dir.ino, &name, at.ino, now)
    }

    /// Changes attributes; only the owner and root may.
    ///
    /// # Errors
    /// As [`FileSystem::resolve`]; `NotPermitted`, `ReadOnly`.
    pub fn set_attributes(
        &mut self,
        vols: &mut dyn Volumes,
        who: &Credentials,
        path: &str,
        follow: bool,
        change: &dyn Fn(&mut Inode),
    ) -> Result<(), Errno> {
        let at = self.resolve(vols, who, path, follow)?;
        if self.read_only(at.mount) {
            return Err(Errno::ReadOnly);
        }
        let owner = self.inode(vols, &at).ok_or(Errno::NotFound)?.uid;
        if who.uid != 0 && who.uid != owner {
            return Err(Errno::NotPermitted);
        }
        let volume = self.volume_mut(vols, at.mount).ok_or(Errno::NotFound)?;
        if let Some(inode) = volume.get_mut(at.ino) {
            change(inode);
        }
        Ok(())
    }
}
