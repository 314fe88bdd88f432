//! Files in memory: volumes (trees of inodes) and the mount namespaces that containers see them through.

mod errno;
mod file_system;
mod volume;

pub use errno::Errno;
pub use file_system::{Credentials, FileSystem, Location, Mount, Stat, Volumes};
pub use volume::{Content, Device, Ino, Inode, Kind, ROOT, Volume};
