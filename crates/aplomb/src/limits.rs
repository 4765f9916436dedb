//! Every bound of the shell, with its unit and the reason for the number.

/// Addresses whose login attempts are counted at a time; about 100 bytes each.
pub const ADDRESSES_TRACKED_MAX: usize = 65_536;

/// Pairs of address and name whose login attempts are counted at a time; about 200 bytes each.
pub const NAMES_TRACKED_MAX: usize = 65_536;

/// Wrong passwords that one address may send at once for one name: twice the usual lock-out.
pub const TRIES_AT_ONE_NAME: u32 = 10;

/// Seconds after which one address may try one name once more.
pub const TRY_AT_ONE_NAME_SECS: u64 = 1;

/// Logins that may wait for a key derivation: a site of 12,000 that comes back at once, and room.
pub const LOGINS_WAITING_MAX: usize = 20_000;

/// Seconds a login may wait for its key derivation: such a site is through in half of it.
pub const LOGIN_WAIT_SECS: u64 = 30;

/// Verified passwords that are remembered: a full server, with room for two each.
pub const PASSWORDS_REMEMBERED_MAX: usize = 40_000;
