//! Small parts that the panes share.

mod copy_button;
mod dialog;
mod glyph;
mod icon;
mod menu;
mod notices;
mod same;
mod segmented;
mod splitter;

pub(crate) use copy_button::CopyButton;
pub(crate) use dialog::Dialog;
pub(crate) use glyph::{Glyph, PodState};
pub(crate) use icon::{Icon, IconKind};
pub(crate) use menu::{Menu, MenuItem};
pub(crate) use notices::{Notice, NoticeKind, Notices, NoticesProvider, NoticesView};
pub(crate) use same::Same;
pub(crate) use segmented::{Choice, Segmented};
pub(crate) use splitter::{Edge, Splitter};
