//! Every bound of the shell, with its unit and the reason for the number.

/// Years that a self-signed certificate is good for: longer than a laboratory lives.
pub const SELF_SIGNED_YEARS: i32 = 10;

/// Seconds from the TCP connection to the end of the TLS handshake.
pub const TLS_HANDSHAKE_SECS_MAX: u64 = 10;

/// Seconds for the header of a request, and thus for an idle connection between two requests.
pub const HTTP_HEADER_SECS_MAX: u64 = 10;

/// Seconds from the header of a request to its answer: the body, a full queue and a slow store.
pub const HTTP_ANSWER_SECS_MAX: u64 = REST_BODY_SECS_MAX + 2 * WRITE_WAIT_SECS + 5;

/// Bytes of a request's header. The longest that browsers send to Finesse have 3 KB.
pub const HTTP_HEADER_BYTES_MAX: usize = 16 * 1024;

/// Bytes that HTTP/1 buffers for one connection; must hold a header.
pub const HTTP_BUFFER_BYTES_MAX: usize = 32 * 1024;

/// Requests at once on one HTTP/2 connection.
pub const HTTP2_STREAMS_MAX: u32 = 64;

/// Seconds between two questions whether an HTTP/2 peer is there, and for its answer.
pub const HTTP2_PING_SECS: u64 = 20;

/// Seconds for which TCP tries to get data acknowledged, or a full peer to take some.
pub const TCP_UNACKNOWLEDGED_SECS_MAX: u64 = 45;

/// Milliseconds to wait when the system has no more file descriptors.
pub const ACCEPT_PAUSE_MS: u64 = 50;

/// Connections that the kernel queues for us while we are busy.
pub const ACCEPT_BACKLOG: i32 = 4096;

/// Seconds between the 101 and the bare stream: there is nothing to wait for but a scheduler.
pub const UPGRADE_SECS_MAX: u64 = 5;

/// Seconds that a peer has to answer our WebSocket close.
pub const WS_CLOSE_SECS_MAX: u64 = 2;

/// Seconds that a peer has to take what was written to it.
pub const STALL_SECS_MAX: u64 = 20;

/// Mailboxes that fit into what a managed session remembers: what waited while its client was
/// away, and as much again while it catches up.
pub const UNACKNOWLEDGED_MAILBOXES: usize = 2;

/// Seconds after which a managed stream asks for an acknowledgement of the little that it sent.
pub const ACK_REQUEST_SECS: u64 = 5;

/// Seconds that whoever resumes waits for the old session to let go; it may ask the writer.
pub const RESUME_WAIT_SECS_MAX: u64 = 10;

/// Pubsub requests that wait for the writer; each waits with its session, which asks no second.
pub const PUBSUB_QUEUE_MAX: usize = 16_384;

/// Bytes of the buffer into which the sessions of one thread read.
pub const READ_SCRATCH_BYTES: usize = 16 * 1024;

/// Bytes of a write: a session with more to say yields to others and writes again.
pub const WRITE_BATCH_BYTES: usize = 64 * 1024;

/// Bytes of the largest write buffer that a thread keeps for its sessions.
pub const SCRATCH_KEPT_BYTES_MAX: usize = 256 * 1024;

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

/// Tokens that are good at a time: a full server, with room for two each.
pub const TOKENS_MAX: usize = 40_000;

/// Tokens of one account: a page takes one for each feed it opens.
pub const TOKENS_OF_ONE_MAX: usize = 100;

/// Seconds between two looks for tokens that are over: each goes through all of them.
pub const TOKENS_SWEEP_SECS: u64 = 3_600;

/// Jobs that may wait for the writer: everybody of a full server at once, once for each second
/// that a slow disk may take for a batch.
pub const WRITER_QUEUE_MAX: usize = 16_384;

/// Jobs in one transaction: enough that the flush costs each next to nothing, few enough that the
/// first does not wait long for the last.
pub const BATCH_JOBS_MAX: usize = 512;

/// Seconds to wait for a place in the writer's queue, and then for its answer.
pub const WRITE_WAIT_SECS: u64 = 30;

/// Failed commits in a row after which desktops are told that the server is out of service: one
/// may be an accident.
pub const FAILURES_OUT_OF_SERVICE: u32 = 3;

/// Seconds between two tries of a store that fails, while nobody asks for a change.
pub const STORE_PROBE_SECS: u64 = 2;

/// Bytes of one published payload: half of the longest stanza, so that it fits with its envelope.
pub const PAYLOAD_BYTES_MAX: usize = 512 * 1024;

/// Nodes that publishers may create besides Finesse's own.
pub const CREATED_NODES_MAX: usize = 10_000;

/// Explicit subscriptions of one account: a supervisor's desktops with all teams and agents.
pub const SUBSCRIPTIONS_OF_ONE_MAX: usize = 2_000;

/// Bytes of a REST request's body. The largest that we take is a sign-in, of a few hundred bytes.
pub const REST_BODY_BYTES_MAX: usize = 64 * 1024;

/// Seconds from a request's headers to the end of its body.
pub const REST_BODY_SECS_MAX: u64 = 10;

/// Bytes of a `requestId` that is echoed: clients send a UUID of 36. A longer one is ignored.
pub const REQUEST_ID_BYTES_MAX: usize = 256;
/// Characters of a password that we make, of 32 letters and digits: 100 bits.
pub const GENERATED_PASSWORD_CHARS: usize = 20;

/// Bytes of one request or answer on the control socket: 100,000 people with all they have.
pub const CONTROL_LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Callers at the control socket at a time: administrators and their scripts.
pub const CONTROL_CALLERS_MAX: usize = 8;

/// Seconds for one request on the control socket: key derivations for 100,000 people.
pub const CONTROL_WAIT_SECS: u64 = 300;

/// Bytes of a file of people; half of a control line, since JSON is longer.
pub const IMPORT_BYTES_MAX: u64 = CONTROL_LINE_BYTES_MAX / 2;

/// People in one import, and so in one transaction.
pub const IMPORT_PEOPLE_MAX: usize = 100_000;

/// Stanzas of other people in one mailbox at a time, beside its events: some busy talks.
pub const PARCELS_MAX: usize = 256;

/// Bytes of memory of them: four talks that are as full as one may be, or sixteen of the longest
/// messages.
pub const PARCEL_BYTES_MAX: usize = 4 * PARCEL_BYTES_OF_ONE_MAX;

/// Of these, stanzas of one sender: minutes of a fast writer, to somebody who does not read.
pub const PARCELS_OF_ONE_MAX: usize = 64;

/// Of these, bytes of one sender: four of the longest messages, with their elements.
pub const PARCEL_BYTES_OF_ONE_MAX: usize = 4 * (64 + 4) * 1024;

/// Stanzas that wait to go back to their senders: what thousands of sessions hold that end at once.
pub const RETURNS_MAX: usize = 16_384;

/// Requests of one session to others that wait for their answers: a client that comes asks
/// everybody in a large team what he can do.
pub const REQUESTS_OPEN_MAX: usize = 256;

/// Seconds after which a request that nobody answered makes room for another. Clients wait less.
pub const REQUEST_OPEN_SECS: u64 = 120;

/// People whose pace is remembered before anybody is forgotten who has all of his burst again.
pub const PACES_SWEPT_MIN: usize = 128;

/// Stanzas to others that a person may send at once; after that he waits.
pub const PACE_BURST: u32 = 100;

/// Letters in a mailbox from which on only the newest presence of each session is kept, and the
/// newest roster push of each contact: fewer cost less than to look for the older one.
pub const LETTERS_APART_MAX: usize = 32;

/// Presences and greetings in a mailbox beside its bounds: everybody of a full roster, at some
/// sessions each, and those who wait to be answered. More are letters as any other.
pub const LETTERS_UNCOUNTED_MAX: u32 = 5_000;

/// Presences of one person that wait in a mailbox, once many letters do: of all sessions that the
/// reader knows of, and of as many that came since.
pub const PRESENCES_OF_ONE_MAX: usize = 2 * SESSIONS_PER_ACCOUNT_MAX;

/// Presences that are held back for a client that nobody looks at; with more it gets all of them.
pub const HELD_PRESENCES_MAX: usize = 1000;

/// Milliseconds for each further stanza to others: no person writes so fast.
pub const PACE_MS: u64 = 50;

/// Sessions of one account: a desktop, connectors, and the remains of lost connections.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 50;

/// Feeds of one account at a time: the pages and scripts of one person.
pub const FEEDS_OF_ONE_MAX: usize = 50;

/// Nodes that one feed follows: a supervisor's team, one by one.
pub const FEED_NODES_MAX: usize = 64;

/// Bytes of items after which a feed's answer stops; the reader comes back for more.
pub const FEED_ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes of a cursor: one with the most nodes has under 1,500.
pub const FEED_CURSOR_BYTES_MAX: usize = 4 * 1024;

/// Bytes of rendered events that are kept for the next reader: minutes of a busy centre.
pub const FEED_RENDERED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Seconds that a long poll may wait: less than the minute after which proxies give up.
pub const FEED_WAIT_SECS_MAX: u64 = 50;

/// Seconds that a long poll waits if it does not say.
pub const FEED_WAIT_SECS_USUAL: u64 = 30;

/// Milliseconds after which an `EventSource` comes back.
pub const FEED_RETRY_MS: u64 = 2_000;

/// Bytes of the head of an answer to an upgrade, as our client takes it.
pub const ANSWER_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Bytes of a SystemInfo, as our client takes it: a real one has 2 KiB.
pub const SYSTEM_INFO_BYTES_MAX: usize = 64 * 1024;

/// Bytes that our client reads at a time.
pub const READ_BYTES: usize = 16 * 1024;

/// Seconds that our client tries to write one message.
pub const DIAL_WRITE_SECS_MAX: u64 = 10;

/// Units that our client has to say over HTTP while no request may be sent: it asks for its nodes.
pub const BOSH_UNITS_MAX: usize = 4 * NODES_FOLLOWED_MAX;

/// Seconds between our client's pings, as between those of Cisco's tunnel.
pub const CLIENT_PING_SECS: u64 = 10;

/// Pings without an answer after which our client takes the connection for dead, as Cisco's does.
pub const CLIENT_PINGS_UNANSWERED_MAX: u32 = 2;

/// Seconds that our client waits for the answer to a request.
pub const CLIENT_ANSWER_SECS_MAX: u64 = 30;

/// Items of one node that our client asks for to find what it missed.
pub const RECALL_ITEMS_MAX: u32 = 200;

/// Nodes whose place our client remembers: all agents and teams of a site, several times over.
pub const NODES_FOLLOWED_MAX: usize = 20_000;

/// Items of one node that may come before our client knows what it missed, and are told from it.
pub const FRESH_ITEMS_MAX: usize = 1_000;

/// Seconds of the first wait before our client comes back; each next one is twice as long.
pub const RECONNECT_FIRST_SECS: u64 = 1;

/// Seconds of the longest wait before our client comes back.
pub const RECONNECT_SECS_MAX: u64 = 30;

/// Seconds between two looks for agents whose desktop is gone: fine enough for a minute of grace.
pub const DEPARTURE_LOOK_SECS: u64 = 1;

/// Addresses that make an audience worth remembering; to find fewer costs some microseconds.
pub const AUDIENCE_REMEMBERED_MIN: usize = 16;

/// Requests of one client over HTTP that wait for its session; it holds two more.
pub const BOSH_QUEUE_MAX: usize = 4;

/// Log lines that wait for whoever reads the log: some 3 MB, minutes of a busy server.
pub const LOG_LINES_MAX: usize = 10_000;

/// Bytes of one answer that a comparison takes: a poll that was long away gets
/// [`FEED_ANSWER_BYTES_MAX`] of items, written twice.
pub const COMPARE_ANSWER_BYTES_MAX: usize = 4 * FEED_ANSWER_BYTES_MAX;

/// Seconds that a comparison waits for an answer that should come at once.
pub const COMPARE_ANSWER_SECS_MAX: u64 = 15;

/// Seconds that a comparison waits for a reader to be there, and for the last event to be seen.
pub const COMPARE_SETTLE_SECS_MAX: u64 = 5;

/// Events a second that a comparison causes on a server that it did not start: it may be somebody's
/// contact centre, and each is a change of a state there.
pub const COMPARE_FOREIGN_RATE_MAX: f64 = 10.0;

/// Events a second that a comparison causes at most: one agent's changes come one after another.
pub const COMPARE_RATE_MAX: f64 = 1_000.0;

/// Seconds that a comparison may be told to take.
pub const COMPARE_SECS_MAX: u64 = 3_600;

/// Seconds that the server of a comparison has to start, and to stop.
pub const COMPARE_SERVER_SECS_MAX: u64 = 30;

/// Lines of its server's log that a comparison keeps, to show them if it fails.
pub const COMPARE_LOG_LINES: usize = 20;
