//! Texts of the example gallery.
