//! `kubectl describe`: one file a kind.
