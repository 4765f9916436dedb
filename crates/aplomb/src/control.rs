//! The control socket in the data directory: `aplomb user` and `aplomb team` on a running server.
