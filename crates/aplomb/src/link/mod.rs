//! Carriers of XMPP, one file each.
