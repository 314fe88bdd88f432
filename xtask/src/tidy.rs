//! Rules of the house that the compiler doesn't know, checked as tests.
