//! Who is online, and who of them gets a stanza (RFC 6121 §8.5).

use std::collections::HashMap;
use std::sync::Arc;

use super::Shown;
use crate::jid::{FullJid, Jid};
use crate::limits::DIRECTED_PRESENCES_MAX;

/// The shell's key of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Who is online.
///
/// Keys are texts, so that an address is looked up without taking it apart into new ones.
#[derive(Debug, Default)]
pub struct Directory {
    accounts: HashMap<Box<str>, Vec<Desk>>,
}

/// One session of an account.
#[derive(Debug)]
pub struct Desk {
    resource: Box<str>,
    session: SessionId,
    /// None until the session sends presence, and after it says that it is unavailable.
    shown: Option<Arc<Shown>>,
    /// Whether it wants copies of its account's messages (XEP-0280).
    has_carbons: bool,
    /// Whether it asked for the roster, and so wants to hear of changes (RFC 6121 §2.2).
    is_interested: bool,
    /// To whom it showed itself directly (RFC 6121 §4.6).
    directed: Vec<Jid>,
}

/// A session that is not at its address any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Left {
    /// The session.
    pub session: SessionId,
    /// Whether it was available.
    pub was_shown: bool,
    /// To whom it showed itself directly.
    pub directed: Vec<Jid>,
}

/// Which sessions of an address a stanza goes to (RFC 6121 §8.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As a message: the very session, available or not; for a bare address, or a session that is
    /// not there, all that are available with a priority of 0 or more.
    Message,
    /// As a presence: the very session, or for a bare address all that are available, whatever
    /// their priority.
    Presence,
    /// The very session only, as an iq.
    Session,
}

impl Directory {
    /// Seats a session; gives back the one that had the address before (RFC 6120 §7.7.2.2).
    pub fn join(&mut self, jid: &FullJid, session: SessionId) -> Option<Left> {
        let (account, resource) = parts(jid);
        let desk = Desk::new(resource, session);
        let desks = match self.accounts.get_mut(account) {
            Some(desks) => desks,
            None => self.accounts.entry(account.into()).or_insert_with(|| Vec::with_capacity(1)),
        };
        match desks.iter_mut().find(|desk| *desk.resource == *resource) {
            Some(old) => Some(std::mem::replace(old, desk).left()),
            None => {
                desks.push(desk);
                None
            }
        }
    }

    /// Takes a session away; nothing happens if the address has another one by now.
    pub fn leave(&mut self, jid: &FullJid, session: SessionId) -> Option<Left> {
        let (account, _) = parts(jid);
        let desks = self.accounts.get_mut(account)?;
        let at = desks.iter().position(|desk| desk.session == session)?;
        let left = desks.remove(at).left();
        if desks.is_empty() {
            self.accounts.remove(account);
        }
        Some(left)
    }

    /// Notes a presence, `None` is unavailable; gives back the one before. A session that lost its
    /// address stays silent.
    pub fn show(
        &mut self,
        jid: &FullJid,
        session: SessionId,
        shown: Option<Arc<Shown>>,
    ) -> Option<Arc<Shown>> {
        self.desk(jid, session).and_then(|desk| std::mem::replace(&mut desk.shown, shown))
    }

    /// Notes that a session asked for its roster.
    pub fn set_interested(&mut self, jid: &FullJid, session: SessionId) {
        if let Some(desk) = self.desk(jid, session) {
            desk.is_interested = true;
        }
    }

    /// Notes that a session showed itself to `to` directly, or took itself away there; returns
    /// whether there was room for it.
    pub fn direct(&mut self, jid: &FullJid, session: SessionId, to: &Jid, is_shown: bool) -> bool {
        let Some(Desk { directed, .. }) = self.desk(jid, session) else { return true };
        let is_known = directed.contains(to);
        match is_shown {
            true if is_known => {}
            true if directed.len() < DIRECTED_PRESENCES_MAX => directed.push(to.clone()),
            true => return false,
            false => directed.retain(|other| other != to),
        }
        true
    }

    /// To whom a session showed itself directly; nobody any more.
    pub fn take_directed(&mut self, jid: &FullJid, session: SessionId) -> Vec<Jid> {
        let desk = self.desk(jid, session);
        desk.map(|desk| std::mem::take(&mut desk.directed)).unwrap_or_default()
    }

    fn desk(&mut self, jid: &FullJid, session: SessionId) -> Option<&mut Desk> {
        let desks = self.accounts.get_mut(parts(jid).0)?;
        desks.iter_mut().find(|desk| desk.session == session)
    }

    /// Notes whether a session wants carbons.
    pub fn set_carbons(&mut self, jid: &FullJid, session: SessionId, has_carbons: bool) {
        if let Some(desk) = self.desk(jid, session) {
            desk.has_carbons = has_carbons;
        }
    }

    /// The sessions that an event for `jid` goes to, none of them before it sent presence.
    ///
    /// A full JID means that session, whatever its priority. A bare JID means every session with
    /// a priority of 0 or more: Openfire takes the best one only, unless told otherwise, but Cisco
    /// documents desktops and connectors side by side.
    pub fn recipients(&self, jid: &Jid, each: impl FnMut(&Desk)) {
        let (account, resource) = parts(jid);
        let Some(desks) = self.accounts.get(account) else { return };
        let is_meant = |desk: &&Desk| match jid.is_full() {
            true => *desk.resource == *resource && desk.shown.is_some(),
            false => desk.takes_events(),
        };
        desks.iter().filter(is_meant).for_each(each);
    }

    /// The sessions of `to` that a stanza goes to.
    ///
    /// - Source: RFC 6121 §8.5.2, §8.5.3.
    pub fn reached(&self, to: &Jid, reach: Reach, mut each: impl FnMut(SessionId)) {
        let (_, resource) = parts(to);
        let exact = self.desks_of(to).find(|desk| to.is_full() && *desk.resource == *resource);
        if let Some(desk) = exact {
            return each(desk.session);
        }
        let is_meant = |desk: &&Desk| match reach {
            Reach::Message => desk.takes_events(),
            Reach::Presence => to.is_bare() && desk.shown.is_some(),
            Reach::Session => false,
        };
        self.desks_of(to).filter(is_meant).for_each(|desk| each(desk.session));
    }

    /// Everybody who is available with a priority of 0 or more.
    pub fn everyone(&self, mut each: impl FnMut(SessionId)) {
        let desks = self.accounts.values().flatten();
        desks.filter(|desk| desk.takes_events()).for_each(|desk| each(desk.session));
    }

    /// Everybody who sent presence, whatever the priority: the bare address, the resource and
    /// the session.
    pub fn available(&self, mut each: impl FnMut(&str, &str, SessionId)) {
        for (account, desks) in &self.accounts {
            for desk in desks.iter().filter(|desk| desk.shown.is_some()) {
                each(account, &desk.resource, desk.session);
            }
        }
    }

    /// Whether a session of this account sent presence.
    pub fn is_available(&self, jid: &Jid) -> bool {
        self.desks_of(jid).any(|desk| desk.shown.is_some())
    }

    /// Whether a session has this address.
    pub fn is_taken(&self, jid: &Jid) -> bool {
        let (_, resource) = parts(jid);
        self.desks_of(jid).any(|desk| *desk.resource == *resource)
    }

    /// The sessions of one account, available or not.
    pub fn sessions_of(&self, jid: &Jid) -> impl Iterator<Item = SessionId> {
        self.desks_of(jid).map(|desk| desk.session)
    }

    /// The sessions of one account, available or not, with what is known of each.
    pub fn desks_of(&self, jid: &Jid) -> impl Iterator<Item = &Desk> {
        self.accounts.get(parts(jid).0).into_iter().flatten()
    }
}

impl Desk {
    fn new(resource: &str, session: SessionId) -> Self {
        let resource = resource.into();
        Self {
            resource,
            session,
            shown: None,
            has_carbons: false,
            is_interested: false,
            directed: Vec::new(),
        }
    }

    fn left(self) -> Left {
        let Self { session, shown, directed, .. } = self;
        Left { session, was_shown: shown.is_some(), directed }
    }

    /// Whether it asked for the roster, and so is told of changes.
    pub const fn is_interested(&self) -> bool {
        self.is_interested
    }

    /// Whether it showed itself to somebody directly.
    pub const fn is_directed(&self) -> bool {
        !self.directed.is_empty()
    }

    /// The resource.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The session.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Whether it wants carbons (XEP-0280).
    pub const fn has_carbons(&self) -> bool {
        self.has_carbons
    }

    /// The last presence; none while the session is not available.
    pub const fn shown(&self) -> Option<&Arc<Shown>> {
        self.shown.as_ref()
    }

    /// Whether what is for the bare address comes here (RFC 6121 §8.5.2.1).
    pub fn takes_events(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.priority >= 0)
    }
}

/// The bare address and the resource; a bare address has no slash.
fn parts(jid: &Jid) -> (&str, &str) {
    let text = jid.as_str();
    text.split_once('/').unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realm::Show;

    fn shown(priority: i8) -> Option<Arc<Shown>> {
        Some(Arc::new(Shown { priority, show: Show::Online, tail: "/>".into() }))
    }

    /// `script` has lines like `join 1 ada@cc.test/desk`, `presence 1 -1`, `ada@cc.test = 1 2`,
    /// `messages ada@cc.test = 1`.
    fn check(script: &str) {
        let mut directory = Directory::default();
        let mut seats: HashMap<u64, FullJid> = HashMap::new();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<_> = line.split_whitespace().collect();
            let number = |at: usize| words[at].parse::<u64>().unwrap();
            match words[..] {
                ["join", _, jid, ref ousted @ ..] => {
                    let jid: FullJid = jid.parse().unwrap();
                    let old = directory.join(&jid, SessionId(number(1)));
                    let expected = ousted.get(1).map(|id| SessionId(id.parse().unwrap()));
                    assert_eq!(old.map(|left| left.session), expected, "{line}");
                    seats.insert(number(1), jid);
                }
                ["leave", _] => {
                    directory.leave(&seats[&number(1)], SessionId(number(1)));
                }
                ["presence", _, priority] => {
                    let id = number(1);
                    let shown = priority.parse().ok().and_then(shown);
                    directory.show(&seats[&id], SessionId(id), shown);
                }
                [reach, jid, "=", ref expected @ ..] => {
                    let reach = match reach {
                        "messages" => Reach::Message,
                        "presences" => Reach::Presence,
                        _ => Reach::Session,
                    };
                    let mut found = Vec::new();
                    directory.reached(&jid.parse().unwrap(), reach, |session| {
                        found.push(session.0.to_string());
                    });
                    assert_eq!(found, *expected, "{line}");
                }
                [jid, "=", ref expected @ ..] => {
                    let mut found = Vec::new();
                    let mut note = |session: SessionId| found.push(session.0);
                    match jid {
                        "everyone" => directory.everyone(note),
                        "available" => directory.available(|_, _, session| note(session)),
                        jid => {
                            directory.recipients(&jid.parse().unwrap(), |desk| note(desk.session))
                        }
                    }
                    found.sort_unstable();
                    let found: Vec<_> = found.iter().map(u64::to_string).collect();
                    assert_eq!(found, *expected, "{line}");
                }
                _ => panic!("no such line: {line}"),
            }
        }
        assert!(directory.accounts.values().all(|desks| !desks.is_empty()));
    }

    #[test]
    fn nobody_gets_events_before_presence() {
        check(
            "
            join 1 ada@cc.test/desk
            ada@cc.test =
            ada@cc.test/desk =
            everyone =
            presence 1 0
            ada@cc.test = 1
            ada@cc.test/desk = 1
            everyone = 1
            presence 1 gone
            ada@cc.test/desk =
            ",
        );
    }

    #[test]
    fn a_negative_priority_gets_only_what_is_for_the_full_address() {
        check(
            "
            join 1 ada@cc.test/desk
            join 2 ada@cc.test/phone
            join 3 bob@cc.test/desk
            presence 1 5
            presence 2 -1
            presence 3 0
            ada@cc.test = 1
            ada@cc.test/phone = 2
            ada@cc.test/car =
            eve@cc.test =
            everyone = 1 3
            available = 1 2 3
            ",
        );
    }

    #[test]
    fn the_older_of_two_at_one_desk_is_out_and_cannot_disturb_the_newer() {
        check(
            "
            join 1 ada@cc.test/desk
            presence 1 0
            join 2 ada@cc.test/desk ousts 1
            ada@cc.test =
            presence 1 0
            ada@cc.test =
            presence 2 0
            leave 1
            ada@cc.test = 2
            leave 2
            leave 2
            ada@cc.test =
            ",
        );
    }

    #[test]
    fn a_stanza_finds_the_sessions_that_its_kind_and_address_mean() {
        check(
            "
            join 1 ada@cc.test/desk
            join 2 ada@cc.test/phone
            join 3 ada@cc.test/mute
            presence 1 5
            presence 2 -1
            messages ada@cc.test = 1
            presences ada@cc.test = 1 2
            sessions ada@cc.test =
            messages ada@cc.test/mute = 3
            presences ada@cc.test/phone = 2
            sessions ada@cc.test/mute = 3
            messages ada@cc.test/gone = 1
            presences ada@cc.test/gone =
            sessions ada@cc.test/gone =
            messages bob@cc.test/desk =
            ",
        );
    }
}
