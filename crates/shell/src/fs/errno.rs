//! Why a file operation failed, with the C library's words for it.

/// The errors a simulated system call can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the texts below say what each means
pub enum Errno {
    NotFound,
    PermissionDenied,
    NotPermitted,
    Exists,
    NotADirectory,
    IsADirectory,
    NotEmpty,
    InvalidArgument,
    ReadOnly,
    NoSpace,
    Loop,
    Busy,
    CrossDevice,
    BadFd,
    TooLong,
    Io,
    NoSuchProcess,
    ExecFormat,
}

impl Errno {
    /// What `strerror` says in the C locale (musl and glibc agree on these).
    pub const fn text(self) -> &'static str {
        match self {
            Errno::NotFound => "No such file or directory",
            Errno::PermissionDenied => "Permission denied",
            Errno::NotPermitted => "Operation not permitted",
            Errno::Exists => "File exists",
            Errno::NotADirectory => "Not a directory",
            Errno::IsADirectory => "Is a directory",
            Errno::NotEmpty => "Directory not empty",
            Errno::InvalidArgument => "Invalid argument",
            Errno::ReadOnly => "Read-only file system",
            Errno::NoSpace => "No space left on device",
            Errno::Loop => "Too many levels of symbolic links",
            Errno::Busy => "Resource busy",
            Errno::CrossDevice => "Cross-device link",
            Errno::BadFd => "Bad file descriptor",
            Errno::TooLong => "File name too long",
            Errno::Io => "I/O error",
            Errno::NoSuchProcess => "No such process",
            Errno::ExecFormat => "Exec format error",
        }
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}
