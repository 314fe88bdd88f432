//! What kubectl needs of the machine it runs on.

use std::collections::BTreeMap;

/// Why a file could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// There is none at the path.
    NotFound,
    /// The path names a directory.
    IsDirectory,
    /// The path names no directory.
    NotDirectory,
    /// It may not be read or written.
    Denied,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name, without the directory's.
    pub name: String,
    /// Whether it is a directory itself.
    pub is_dir: bool,
}

/// What has come on standard input since it was last asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// These bytes.
    Data(Vec<u8>),
    /// Nothing yet.
    Pending,
    /// Nothing, and nothing will come.
    End,
}

/// The standard streams and files of the program, relative paths from its working directory.
pub trait Io {
    /// Writes to standard output.
    fn stdout(&mut self, bytes: &[u8]);

    /// Writes to standard error.
    fn stderr(&mut self, bytes: &[u8]);

    /// Takes what has come on standard input.
    fn stdin(&mut self) -> Stdin;

    /// Whether input and output are a terminal.
    fn is_terminal(&self) -> bool;

    /// Whether Ctrl C was pressed since it was last asked; only commands that wait ask.
    fn interrupted(&mut self) -> bool {
        false
    }

    /// The whole of a file.
    ///
    /// # Errors
    /// There is no such file, or it is a directory.
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, FileError>;

    /// Replaces or makes a file.
    ///
    /// # Errors
    /// The path cannot be written.
    fn write_file(&mut self, path: &str, content: &[u8]) -> Result<(), FileError>;

    /// The entries of a directory, by name.
    ///
    /// # Errors
    /// There is no such directory.
    fn read_dir(&mut self, path: &str) -> Result<Vec<DirEntry>, FileError>;

    /// The absolute path that relative ones begin at, for messages.
    fn working_directory(&self) -> String {
        "/root".to_owned()
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// The path cannot be written.
    fn make_dir(&mut self, path: &str) -> Result<(), FileError> {
        let _ = path;
        Err(FileError::Denied)
    }

    /// Takes a file or an empty directory away.
    ///
    /// # Errors
    /// There is no such file.
    fn remove_file(&mut self, path: &str) -> Result<(), FileError> {
        let _ = path;
        Err(FileError::Denied)
    }

    /// Starts another program on the same streams; answers its number.
    ///
    /// # Errors
    /// There is no such program.
    fn spawn(&mut self, argv: &[String]) -> Result<u32, FileError> {
        let _ = argv;
        Err(FileError::NotFound)
    }

    /// The exit code of a program that was started, once it has ended; [`crate::Wait::child`] waits for it.
    fn ended(&mut self, child: u32) -> Option<i32> {
        let _ = child;
        Some(1)
    }
}

/// The environment a command line starts in.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// Environment variables; `HOME` and `KUBECONFIG` are read.
    pub vars: BTreeMap<String, String>,
}
