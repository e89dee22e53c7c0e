//! What the loom models see of the lock-free parts.
