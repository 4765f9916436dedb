//! A model of resumption: one client, a server, and chance, which cuts, delays and races.
//!
//! The counts and the tickets are the real ones; sockets, tasks and XML are not there. A schedule
//! is a seed, and a failure prints it. `APLOMB_SCHEDULES` is how many are tried, from the seed
//! `APLOMB_SEED` on.

use std::collections::VecDeque;
use std::sync::Arc;

use aplomb_core::stream::management::{Bounds, Unacknowledged};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::tickets::{Ticket, Tickets};

#[test]
fn under_any_schedule_everything_comes_once_or_is_said_to_be_lost() {
    let setting = |name: &str, usual: u64| {
        std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
    };
    let (schedules, first) = (setting("APLOMB_SCHEDULES", 20_000), setting("APLOMB_SEED", 1));
    let mut all = Tally::default();
    for seed in first..first + schedules {
        let ran = std::panic::catch_unwind(|| World::new(seed).run());
        let tally = ran.unwrap_or_else(|_| panic!("schedule {seed} fails: APLOMB_SEED={seed}"));
        all.add(&tally);
    }
    println!("{schedules} schedules from {first}: {all:?}");
    let Tally { resumed, lost, races, wrapped, overrun, lies, .. } = all;
    for (count, what) in [
        (resumed, "was resumed"),
        (lost, "was lost"),
        (races, "was raced for"),
        (wrapped, "went over the wrap"),
        (overrun, "was too much"),
        (lies, "was a lie"),
    ] {
        assert!(count * 1000 > schedules, "of {schedules} schedules, in {count} something {what}");
    }
}

/// What happened, so that nothing is proved of what never happens.
#[derive(Debug, Default)]
struct Tally {
    steps: u64,
    events: u64,
    resumed: u64,
    lost: u64,
    races: u64,
    wrapped: u64,
    overrun: u64,
    lies: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.events += other.events;
        self.resumed += other.resumed;
        self.lost += other.lost;
        self.races += other.races;
        self.wrapped += other.wrapped;
        self.overrun += other.overrun;
        self.lies += other.lies;
    }
}

/// From the client to the server.
#[derive(Debug, Clone)]
enum Up {
    Resume { id: String, handled: u32 },
    Bind,
    Enable,
    Request(u32),
    Acknowledge(u32),
}

/// From the server to the client.
#[derive(Debug, Clone)]
enum Down {
    Resumed(u32),
    Failed,
    Lied,
    Bound,
    /// The id, and where the counts of server and client begin: a stream with a long past.
    Enabled(String, u32, u32),
    Letter(Letter),
    Conflict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    Event(u32),
    Answer(u32),
    End,
}

/// A connection.
#[derive(Default)]
struct Link {
    up: VecDeque<Up>,
    down: VecDeque<Down>,
    is_cut: bool,
}

/// A seat in the hub; when it is dropped, its number is on the list of those that left.
struct Seat {
    number: usize,
    left: Arc<Mutex<Vec<usize>>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.left.lock().push(self.number);
    }
}

/// What is handed over.
struct Kept {
    seat: Seat,
    sent: Unacknowledged<Letter>,
    letters: VecDeque<Letter>,
    handled: u32,
    /// The number of the last request that was performed.
    performed: u32,
}

/// A session of the server, on a link of its own number.
enum Session {
    Fresh,
    Claiming { ticket: Ticket<Kept>, inheritance: oneshot::Receiver<Kept>, handled: u32 },
    Bound(Box<Bound>),
    Over,
}

struct Bound {
    seat: Seat,
    /// Not before the client asks for it.
    sent: Option<Unacknowledged<Letter>>,
    ticket: Option<Ticket<Kept>>,
    letters: VecDeque<Letter>,
    /// How many of them go before anything is heard.
    again: usize,
    handled: u32,
    performed: u32,
}

/// A mailbox, as the hub sees it.
#[derive(Default)]
struct Mailbox {
    letters: VecDeque<Letter>,
    is_ended: bool,
}

/// What a connection of the client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expects {
    Resumption,
    Bound,
    Enabled,
    Stanzas,
}

struct World {
    chance: Chance,
    tally: Tally,
    tickets: Arc<Tickets<Kept>>,
    links: Vec<Link>,
    sessions: Vec<Session>,
    /// Those of them that are not over.
    working: Vec<usize>,
    lingering: Vec<(Kept, Ticket<Kept>)>,
    mailboxes: Vec<Mailbox>,
    /// The seat that has the address now.
    seated: Option<usize>,
    left: Arc<Mutex<Vec<usize>>>,
    published: u32,
    client: Client,
}

#[derive(Default)]
struct Client {
    /// Connections that it uses, at most two.
    open: Vec<(usize, Expects)>,
    id: Option<String>,
    handled: u32,
    last: Option<u32>,
    sent: VecDeque<u32>,
    acknowledged: u32,
    requested: u32,
    answered: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            chance: Chance(seed.wrapping_mul(0x2545_F491_4F6C_DD1D)),
            tally: Tally::default(),
            tickets: Tickets::new(),
            links: Vec::new(),
            sessions: Vec::new(),
            working: Vec::new(),
            lingering: Vec::new(),
            mailboxes: Vec::new(),
            seated: None,
            left: Arc::default(),
            published: 0,
            client: Client::default(),
        }
    }

    fn run(mut self) -> Tally {
        let steps = 100 + self.chance.below(400);
        for _ in 0..steps {
            self.step();
        }
        self.settle();
        self.tally.steps = steps as u64;
        self.tally
    }

    fn step(&mut self) {
        match self.chance.below(32) {
            0..3 => self.publish(),
            3..6 => self.connect(),
            6..16 => self.client_hears(),
            16 => self.client_asks(),
            17 => self.client_acknowledges(),
            18 => self.cut(),
            19 => self.somebody_else_claims(),
            _ => self.server_works(),
        }
        self.bury();
    }

    /// No more cuts: client and server come to rest, and then everything must be right.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 1_000, "they do not come to rest");
            self.connect();
            for _ in 0..64 {
                self.client_hears();
                self.server_works();
                self.bury();
            }
            let [(link, Expects::Stanzas)] = self.client.open[..] else { continue };
            let Link { up, down, .. } = &self.links[link];
            let is_quiet = up.is_empty() && down.is_empty() && self.working.len() == 1;
            let is_done = self.client.answered == self.client.requested;
            if !is_quiet || !is_done || !self.lingering.is_empty() {
                continue;
            }
            if self.client.last == Some(self.published) && self.published > 0 {
                break;
            }
            // One more event shows whether there is a hole behind the last.
            self.publish();
        }
        let bound = self.sessions.iter().filter(|session| matches!(session, Session::Bound(_)));
        assert_eq!(bound.count(), 1, "one session is left");
        let seats = self.mailboxes.len() - self.left.lock().len();
        assert_eq!((seats, self.tickets.len() <= 1), (1, true), "nothing is left behind");
    }

    fn publish(&mut self) {
        self.published += 1;
        self.tally.events += 1;
        let Some(seat) = self.seated else { return };
        let mailbox = &mut self.mailboxes[seat];
        if mailbox.is_ended {
            return;
        }
        if mailbox.letters.len() < MAILBOX_MAX {
            mailbox.letters.push_back(Letter::Event(self.published));
        } else {
            self.tally.overrun += 1;
            *mailbox = Mailbox { letters: VecDeque::from([Letter::End]), is_ended: true };
        }
    }

    fn cut(&mut self) {
        if self.links.is_empty() {
            return;
        }
        // An old link is cut already.
        let at = self.links.len() - 1 - self.chance.below(self.links.len().min(2));
        let (up, down) = (self.chance.below(4), self.chance.below(8));
        let link = &mut self.links[at];
        link.is_cut = true;
        link.up.truncate(up);
        link.down.truncate(down);
    }

    /// Takes seats away that nobody holds.
    fn bury(&mut self) {
        if let Some(seat) = self.seated
            && self.left.lock().contains(&seat)
        {
            self.seated = None;
        }
    }

    fn somebody_else_claims(&mut self) {
        if let Some(id) = &self.client.id {
            assert!(self.tickets.claim(id, "1002").is_none(), "an id is no password");
        }
    }

    // The client.

    fn connect(&mut self) {
        let is_live = self.client.open.iter().any(|(_, expects)| *expects == Expects::Stanzas);
        let is_racing = self.client.open.len() == 1
            && self.client.open[0].1 == Expects::Resumption
            && self.chance.below(2) == 0;
        if is_live || !(self.client.open.is_empty() || is_racing) {
            return;
        }
        self.tally.races += u64::from(is_racing);
        let (up, expects) = match &self.client.id {
            Some(id) => {
                let is_lie = self.chance.below(200) == 0;
                self.tally.lies += u64::from(is_lie);
                let handled = self.client.handled.wrapping_add(if is_lie { 1_000 } else { 0 });
                (Up::Resume { id: id.clone(), handled }, Expects::Resumption)
            }
            None => (Up::Bind, Expects::Bound),
        };
        self.client.open.push((self.links.len(), expects));
        self.links.push(Link { up: VecDeque::from([up]), ..Link::default() });
        self.working.push(self.sessions.len());
        self.sessions.push(Session::Fresh);
    }

    fn client_hears(&mut self) {
        if self.client.open.is_empty() {
            return;
        }
        let at = self.chance.below(self.client.open.len());
        let (link, expects) = self.client.open[at];
        match self.links[link].down.pop_front() {
            None if self.links[link].is_cut => {
                self.client.open.remove(at);
            }
            None => {}
            Some(down) => self.client_takes(at, link, expects, down),
        }
    }

    fn client_takes(&mut self, at: usize, link: usize, expects: Expects, down: Down) {
        match down {
            Down::Resumed(handled) => {
                self.tally.resumed += 1;
                // It goes on here, and ends whatever else it tried.
                for (other, _) in std::mem::take(&mut self.client.open) {
                    self.links[other].is_cut |= other != link;
                }
                self.client.open.push((link, Expects::Stanzas));
                let client = &mut self.client;
                let new = handled.wrapping_sub(client.acknowledged) as usize;
                assert!(new <= client.sent.len(), "the server handled what was never sent");
                client.sent.drain(..new);
                client.acknowledged = handled;
                for n in client.sent.clone() {
                    self.say(link, Up::Request(n));
                }
            }
            Down::Failed if self.client.open.len() > 1 => self.hang_up(at, link),
            Down::Failed => {
                self.client.id = None;
                self.client.open[at].1 = Expects::Bound;
                self.say(link, Up::Bind);
            }
            Down::Lied | Down::Conflict => self.hang_up(at, link),
            Down::Bound => {
                self.tally.lost += 1;
                self.client.last = None;
                self.client.open[at].1 = Expects::Enabled;
                self.say(link, Up::Enable);
            }
            Down::Enabled(id, sent, handled) => {
                let client = &mut self.client;
                (client.id, client.handled, client.acknowledged) = (Some(id), sent, handled);
                client.sent.clear();
                client.answered = client.requested;
                client.open[at].1 = Expects::Stanzas;
            }
            Down::Letter(letter) => self.client.take(letter, expects),
        }
    }

    fn hang_up(&mut self, at: usize, link: usize) {
        self.client.open.remove(at);
        self.links[link].is_cut = true;
    }

    fn client_asks(&mut self) {
        if let [(link, Expects::Stanzas)] = self.client.open[..] {
            self.client.requested += 1;
            self.client.sent.push_back(self.client.requested);
            self.say(link, Up::Request(self.client.requested));
        }
    }

    fn client_acknowledges(&mut self) {
        if let [(link, Expects::Stanzas)] = self.client.open[..] {
            self.say(link, Up::Acknowledge(self.client.handled));
        }
    }

    /// What is said into a connection that was cut is lost.
    fn say(&mut self, link: usize, up: Up) {
        if !self.links[link].is_cut {
            self.links[link].up.push_back(up);
        }
    }

    // The server.

    fn server_works(&mut self) {
        let places = self.working.len() + self.lingering.len();
        if places == 0 {
            return;
        }
        let place = self.chance.below(places);
        let Some(&at) = self.working.get(place) else {
            return self.lingers(place - self.working.len());
        };
        let session = std::mem::replace(&mut self.sessions[at], Session::Over);
        self.sessions[at] = self.session_works(at, session);
        if matches!(self.sessions[at], Session::Over) {
            self.working.swap_remove(place);
        }
    }

    fn lingers(&mut self, at: usize) {
        let (kept, mut ticket) = self.lingering.swap_remove(at);
        if self.mailboxes[kept.seat.number].is_ended || self.chance.below(40) == 0 {
            return;
        }
        match ticket.try_claimed() {
            Some(heir) => drop(heir.send(kept)),
            None => self.lingering.push((kept, ticket)),
        }
    }

    fn session_works(&mut self, at: usize, session: Session) -> Session {
        match session {
            Session::Over => Session::Over,
            Session::Claiming { ticket, inheritance, handled } => {
                self.inherits(at, ticket, inheritance, handled)
            }
            Session::Fresh => match self.links[at].up.pop_front() {
                None if self.links[at].is_cut => Session::Over,
                None => Session::Fresh,
                Some(up) => self.begins(at, up),
            },
            Session::Bound(bound) => self.bound_works(at, bound),
        }
    }

    fn begins(&mut self, at: usize, up: Up) -> Session {
        match up {
            Up::Resume { id, handled } => match self.tickets.claim(&id, ACCOUNT) {
                Some((ticket, inheritance)) => Session::Claiming { ticket, inheritance, handled },
                None => {
                    self.tell(at, Down::Failed);
                    Session::Fresh
                }
            },
            Up::Bind => {
                let number = self.mailboxes.len();
                self.mailboxes.push(Mailbox::default());
                if let Some(old) = self.seated.replace(number) {
                    let mailbox = &mut self.mailboxes[old];
                    if !mailbox.is_ended {
                        mailbox.letters.push_back(Letter::End);
                        mailbox.is_ended = true;
                    }
                }
                self.tell(at, Down::Bound);
                let seat = Seat { number, left: Arc::clone(&self.left) };
                let letters = VecDeque::new();
                let performed = self.client.requested;
                let bound = Bound {
                    seat,
                    sent: None,
                    ticket: None,
                    letters,
                    again: 0,
                    handled: 0,
                    performed,
                };
                Session::Bound(Box::new(bound))
            }
            Up::Enable | Up::Request(_) | Up::Acknowledge(_) => {
                unreachable!("the client waits for its bind")
            }
        }
    }

    fn inherits(
        &mut self,
        at: usize,
        ticket: Ticket<Kept>,
        mut inheritance: oneshot::Receiver<Kept>,
        handled: u32,
    ) -> Session {
        let is_late = self.chance.below(60) == 0;
        match inheritance.try_recv() {
            Err(TryRecvError::Empty) if !is_late => {
                Session::Claiming { ticket, inheritance, handled }
            }
            Err(_) => {
                drop((ticket, inheritance));
                self.tell(at, Down::Failed);
                Session::Fresh
            }
            Ok(mut kept) => {
                if kept.sent.acknowledge(handled).is_err() {
                    self.tell(at, Down::Lied);
                    return Session::Over;
                }
                self.tell(at, Down::Resumed(kept.handled));
                let letters: VecDeque<_> = kept.sent.rewind().chain(kept.letters).collect();
                let again = letters.len();
                let (sent, ticket) = (Some(kept.sent), Some(ticket));
                let Kept { seat, handled, performed, .. } = kept;
                Session::Bound(Box::new(Bound {
                    seat,
                    sent,
                    ticket,
                    letters,
                    again,
                    handled,
                    performed,
                }))
            }
        }
    }

    fn bound_works(&mut self, at: usize, mut bound: Box<Bound>) -> Session {
        if let Some(heir) = bound.ticket.as_mut().and_then(Ticket::try_claimed) {
            let (kept, _) = bound.keep().expect("it has a ticket");
            drop(heir.send(kept));
            self.tell(at, Down::Conflict);
            return Session::Over;
        }
        match self.chance.below(3) {
            0 if self.links[at].is_cut => {
                self.lingering.extend(bound.keep());
                Session::Over
            }
            1 if bound.again == 0 => match self.links[at].up.pop_front() {
                Some(up) => {
                    self.server_takes(at, &mut bound, up);
                    Session::Bound(bound)
                }
                None => Session::Bound(bound),
            },
            _ => {
                bound.letters.extend(self.mailboxes[bound.seat.number].letters.drain(..));
                for _ in 0..self.chance.below(4) {
                    bound.again = bound.again.saturating_sub(1);
                    match bound.letters.pop_front() {
                        Some(Letter::End) => {
                            self.tell(at, Down::Conflict);
                            return Session::Over;
                        }
                        Some(letter) => self.send(at, &mut bound, letter),
                        None => break,
                    }
                }
                Session::Bound(bound)
            }
        }
    }

    fn server_takes(&mut self, at: usize, bound: &mut Bound, up: Up) {
        match up {
            Up::Enable => {
                let id = format!("m{at}");
                let mut past =
                    || u32::MAX.wrapping_add(4).wrapping_sub(self.chance.below(8) as u32);
                let (sent, handled) = (past(), past());
                self.tally.wrapped += u64::from(sent > 8 || handled > 8);
                bound.ticket = Some(self.tickets.issue(&id, ACCOUNT));
                bound.sent = Some(Unacknowledged::new(BOUNDS).after(sent));
                bound.handled = handled;
                self.tell(at, Down::Enabled(id, sent, handled));
            }
            Up::Request(n) => {
                assert_eq!(n, bound.performed + 1, "a request is lost, doubled, or out of order");
                bound.performed = n;
                bound.handled = bound.handled.wrapping_add(1);
                self.send(at, bound, Letter::Answer(n));
            }
            Up::Acknowledge(handled) => {
                let sent = bound.sent.as_mut().expect("it is managed");
                sent.acknowledge(handled).expect("it tells the truth");
            }
            Up::Resume { .. } | Up::Bind => unreachable!("the client is bound"),
        }
    }

    fn send(&mut self, at: usize, bound: &mut Bound, letter: Letter) {
        if let Some(sent) = &mut bound.sent {
            sent.push(letter, 1);
            if !sent.is_whole() {
                self.tally.overrun += u64::from(bound.ticket.is_some());
                bound.ticket = None;
            }
        }
        self.tell(at, Down::Letter(letter));
    }

    fn tell(&mut self, at: usize, down: Down) {
        if !self.links[at].is_cut {
            self.links[at].down.push_back(down);
        }
    }
}

impl Bound {
    fn keep(&mut self) -> Option<(Kept, Ticket<Kept>)> {
        let (ticket, sent) = (self.ticket.take()?, self.sent.take()?);
        let seat = Seat { number: self.seat.number, left: Arc::clone(&self.seat.left) };
        // The seat moved; nobody left.
        self.seat.left = Arc::default();
        let letters = std::mem::take(&mut self.letters);
        let kept = Kept { seat, sent, letters, handled: self.handled, performed: self.performed };
        Some((kept, ticket))
    }
}

impl Client {
    /// Takes a stanza, and holds it against what must come.
    fn take(&mut self, letter: Letter, expects: Expects) {
        if expects == Expects::Stanzas {
            self.handled = self.handled.wrapping_add(1);
        }
        match letter {
            Letter::Event(n) => {
                if let Some(last) = self.last {
                    assert_eq!(n, last + 1, "an event is lost, doubled, or out of order");
                }
                self.last = Some(n);
            }
            Letter::Answer(n) => {
                assert_eq!(n, self.answered + 1, "an answer is lost, doubled, or out of order");
                self.answered = n;
            }
            Letter::End => unreachable!("it is not sent"),
        }
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

const ACCOUNT: &str = "1001";

const MAILBOX_MAX: usize = 10;

const BOUNDS: Bounds = Bounds { stanzas: 20, bytes: 100 };
