//! A Chromium for the browser tests.

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::{npm, system};
use crate::paths::find_program;
use crate::process::{say, succeeds_within};

const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

const APPLICATIONS: [&str; 4] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
];

/// Finds a browser: `CHROME` in the environment, an installed one, one that playwright fetched earlier; else fetches
/// one, as a Debian package or with playwright.
///
/// # Errors
/// With one line that says what to install.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(found) = installed_chromium() {
        return Ok(found);
    }
    if system::can_install() {
        system::refresh()?;
        system::install(&["chromium", "fonts-noto-cjk"]).or_else(|_| system::install(&["chromium"]))?;
    } else {
        say("fetching a Chromium with playwright");
        succeeds_within(
            Command::new(npm::binary("playwright-core")).args(["install", "chromium"]),
            Duration::from_secs(300),
        );
    }
    match installed_chromium() {
        Some(found) => Ok(found),
        None => bail!(
            "no browser for the tests: install Chrome or Chromium, or name one in the environment variable CHROME"
        ),
    }
}

/// Finds a browser as [`chromium`] does, without fetching one.
pub(crate) fn installed_chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROME").map(PathBuf::from);
    let on_path = NAMES.iter().find_map(|name| find_program(name));
    let application = APPLICATIONS.iter().map(PathBuf::from).find(|path| path.is_file());
    named.or(on_path).or(application).or_else(from_playwright)
}

/// The newest Chromium in playwright's cache.
fn from_playwright() -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?);
    let caches = [
        std::env::var_os("PLAYWRIGHT_BROWSERS_PATH").map(PathBuf::from),
        Some(home.join(".cache").join("ms-playwright")),
        Some(home.join("Library").join("Caches").join("ms-playwright")),
        Some(home.join("AppData").join("Local").join("ms-playwright")),
    ];
    let mut folders = caches
        .into_iter()
        .flatten()
        .filter_map(|cache| cache.read_dir().ok())
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("chromium-")))
        .collect::<Vec<_>>();
    folders.sort();
    folders.iter().rev().find_map(|folder| {
        [
            "chrome-linux/chrome",
            "chrome-linux64/chrome",
            "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
            "chrome-win/chrome.exe",
        ]
        .iter()
        .map(|end| folder.join(end))
        .find(|path| path.is_file())
    })
}
