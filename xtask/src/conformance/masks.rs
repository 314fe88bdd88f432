//! What two runs of the real programs differ in, and nothing else: see CONFORMANCE.md beside the recordings.
