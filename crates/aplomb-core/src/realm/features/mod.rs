//! One file per feature, and the list that service discovery, docs and tests read.
