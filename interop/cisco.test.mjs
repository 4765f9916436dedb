// What Cisco's own clients and the published ones do, one test a behaviour. Their code is not ours
// to copy; these act as it does. COMPAT names the client and the release it was seen in.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { $iq, $pres, Desk, Strophe } from './desk.mjs';
import { field, Inbox, PASSWORD, setState, start } from './server.mjs';

const FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind';

let server;
before(async () => (server = await start()));
after(() => server?.stop());

/** A WebSocket without any library's opinion: whole messages, as text. */
class Raw {
    constructor() {
        this.messages = new Inbox();
        this.socket = new server.WebSocket(server.ws, ['xmpp']);
        this.socket.on('message', (data) => {
            this.messages.push(data.toString());
            // Whoever is told to close says so too (RFC 7395 §3.6.1).
            const isClose = data.toString().startsWith('<close');
            if (isClose) this.socket.send(`<close xmlns="${FRAMING}"/>`);
        });
        this.socket.on('close', (code) => this.messages.push(`closed ${code}`));
        this.socket.on('error', (error) => this.messages.push(`error ${error.message}`));
        this.isOpen = new Promise((resolve) => this.socket.once('open', resolve));
    }

    /** Sends, and waits for what has all of these words. */
    async ask(text, ...words) {
        const since = this.messages.all.length;
        this.socket.send(text);
        return this.messages.until(
            words.join(' '),
            (message) => words.every((word) => message.includes(word)),
            since,
        );
    }

    async login(user, resource, password = PASSWORD) {
        await this.isOpen;
        const open = `<open xmlns="${FRAMING}" to="${server.domain}" version="1.0"/>`;
        await this.ask(open, '<mechanism>PLAIN</mechanism>');
        const blob = Buffer.from(`${user}@${server.domain}\0${user}\0${password}`).toString(
            'base64',
        );
        await this.ask(
            `<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${blob}</auth>`,
            '<success',
        );
        await this.ask(open, 'urn:ietf:params:xml:ns:xmpp-bind');
        const bound = await this.ask(
            '<iq xmlns="jabber:client" type="set" id="_bind_auth_2">' +
                `<bind xmlns="${BIND}"><resource>${resource}</resource></bind></iq>`,
            '_bind_auth_2',
        );
        this.jid = field(bound, 'jid');
        await this.ask(
            '<iq xmlns="jabber:client" type="set" id="_session_auth_2">' +
                '<session xmlns="urn:ietf:params:xml:ns:xmpp-session"/></iq>',
            '_session_auth_2',
            'result',
        );
        return this;
    }
}

const pubsub = (id, type, child) =>
    `<iq xmlns="jabber:client" to="pubsub.${server.domain}" type="${type}" id="${id}">` +
    `<pubsub xmlns="http://jabber.org/protocol/pubsub">${child}</pubsub></iq>`;

test(
    'COMPAT NonGadgetSampleWithStropheAndWebsocket 12.5: extension as resource, no subscribing, ' +
        'pings go to the domain, REST answers 202, the events come',
    async () => {
        const desk = await new Desk(server, '1001', { resource: '1001' }).open();
        for (let round = 0; round < 3; round += 1) {
            const ping = $iq({
                type: 'get',
                to: server.domain,
                id: desk.connection.getUniqueId('ping'),
            }).c('ping', { xmlns: 'urn:xmpp:ping' });
            assert.equal((await desk.ask(ping)).getAttribute('from'), server.domain);
        }
        await setState(server, '1001', 'LOGIN', { requestId: 'sample' });
        const { message } = await desk.event(
            '/finesse/api/User/1001',
            (text) => field(text, 'requestId') === 'sample',
        );
        assert.equal(message.getAttribute('to'), desk.bare);
        await desk.close();
    },
);

test('COMPAT EventTunnel 12.0: it is connecting until the presence of finesse comes', async () => {
    const desk = new Desk(server, '1002');
    assert.equal(await desk.connect(), 'CONNECTED');
    const ping = () =>
        desk.ask($iq({ type: 'get', to: server.domain }).c('ping', { xmlns: 'urn:xmpp:ping' }));
    await ping();
    const fromFinesse = () =>
        desk.stanzas.all.filter(
            (element) =>
                element.nodeName === 'presence' &&
                Strophe.getNodeFromJid(element.getAttribute('from')) === 'finesse',
        );
    assert.equal(fromFinesse().length, 0, 'none before the own presence');
    desk.connection.send($pres());
    const presence = await desk.presence('finesse');
    assert.equal(Strophe.getDomainFromJid(presence.getAttribute('from')), server.domain);
    assert.equal(presence.getAttribute('to'), desk.jid);
    await ping();
    assert.equal(fromFinesse().length, 1, 'and one after it');
    await desk.close();
});

test('COMPAT EventTunnel 12.0: an id in capitals logs in as the lower case', async () => {
    const desk = new Desk(server, 'SUP1');
    assert.equal(await desk.connect(), 'CONNECTED');
    assert.equal(desk.connection.jid, `sup1@${server.domain}/desktop`);
    await desk.close();
});

test('COMPAT EventTunnel 12.0: subscribing twice is fine, all is undone at the end', async () => {
    const desk = await new Raw().login('sup2', 'desktop');
    const node = '/finesse/api/Team/2/Users';
    const subscribe = `<subscribe node="${node}" jid="${desk.jid}"/>`;
    const first = await desk.ask(
        pubsub('1234:subscribenode', 'set', subscribe),
        '1234:subscribenode',
    );
    assert.match(first, /type=["']result["']/);
    assert.match(first, /subscription=["']subscribed["']/);
    assert.match(first, /<subscribe-options\/>/);
    const again = await desk.ask(
        pubsub('1235:subscribenode', 'set', subscribe),
        '1235:subscribenode',
    );
    assert.match(again, /subscription=["']subscribed["']/);
    const list = await desk.ask(
        pubsub('1236:subscriptions', 'get', '<subscriptions/>'),
        '1236:subscriptions',
    );
    const mine = list
        .match(/<subscription [^>]*>/g)
        .filter((one) => one.includes(node) && one.includes(desk.jid));
    assert.equal(mine.length, 1, list);
    const unsubscribe = `<unsubscribe node="${node}" jid="${desk.jid}"/>`;
    const gone = await desk.ask(
        pubsub('1237:unsubscribenode', 'set', unsubscribe),
        '1237:unsubscribenode',
    );
    assert.match(gone, /type=["']result["']/);
    const none = await desk.ask(
        pubsub('1238:unsubscribenode', 'set', unsubscribe),
        '1238:unsubscribenode',
    );
    assert.match(none, /not-subscribed/);
    desk.socket.send('<presence xmlns="jabber:client" type="unavailable"/>');
    await desk.ask('<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>', '<close');
    await desk.messages.until('end of the WebSocket', (message) => message === 'closed 1000');
});

test('COMPAT EventTunnel 12.0: a conflict is a stream error, then a close', async () => {
    const first = await new Raw().login('1003', 'desktop');
    await new Raw().login('1003', 'desktop');
    await first.messages.until('end of the WebSocket', (message) => message.startsWith('closed'));
    const [error, close, end] = first.messages.all.slice(-3);
    assert.match(error, /<stream:error.*<conflict xmlns=.urn:ietf:params:xml:ns:xmpp-streams./);
    assert.match(close, /<close [^>]*urn:ietf:params:xml:ns:xmpp-framing/);
    assert.match(end, /^closed 1\d\d\d$/);
});

test('COMPAT EventTunnel 12.0: a wrong password is not-authorized', async () => {
    const raw = new Raw();
    await raw.isOpen;
    await raw.ask(`<open xmlns="${FRAMING}" to="${server.domain}" version="1.0"/>`, '<mechanism>');
    const auth = (blob) =>
        raw.ask(
            '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">' +
                `${Buffer.from(blob).toString('base64')}</auth>`,
            '<failure',
        );
    const wrong = await auth('\x001004\x00wrong');
    assert.match(wrong, /<not-authorized/);
    assert.equal(
        await auth('\0nobody\0wrong'),
        wrong,
        'nobody and a wrong password are told the same',
    );
    raw.socket.close();
});

test('COMPAT finesse.js 10.5.1: a success says PUT and its source is the REST path', async () => {
    const desk = await new Desk(server, '1005').open();
    await setState(server, '1005', 'LOGIN', { requestId: 'js' });
    const { payload } = await desk.event(
        '/finesse/api/User/1005',
        (text) => field(text, 'requestId') === 'js',
    );
    assert.match(payload, /^<Update>\s*<data>\s*<user>/);
    assert.equal(field(payload, 'event'), 'PUT');
    assert.equal(field(payload, 'source'), '/finesse/api/User/1005');
    assert.equal(field(payload, 'uri'), '/finesse/api/User/1005');
    await desk.close();
});

test('COMPAT NotificationServiceClientSample (Smack 3.4.1): a node says it is a leaf', async () => {
    const desk = await new Desk(server, '1006').open();
    const info = $iq({ type: 'get', to: `pubsub.${server.domain}` }).c('query', {
        xmlns: 'http://jabber.org/protocol/disco#info',
        node: '/finesse/api/User/1006',
    });
    const answer = await desk.ask(info);
    const identity = answer.getElementsByTagName('identity')[0];
    assert.equal(identity.getAttribute('category'), 'pubsub');
    assert.equal(identity.getAttribute('type'), 'leaf');
    const features = [...answer.getElementsByTagName('feature')].map((feature) =>
        feature.getAttribute('var'),
    );
    assert.ok(features.includes('http://jabber.org/protocol/pubsub'), features.join());
    const roster = await desk.ask($iq({ type: 'get' }).c('query', { xmlns: 'jabber:iq:roster' }));
    assert.equal(roster.getAttribute('type'), 'result');
    await desk.close();
});

test('COMPAT S22.Xmpp: disco#info, version, and presence with caps', async () => {
    const desk = new Desk(server, '1007', { resource: 'S22-4711' });
    assert.equal(await desk.connect(), 'CONNECTED');
    for (const xmlns of ['http://jabber.org/protocol/disco#info', 'jabber:iq:version']) {
        const answer = await desk.ask(
            $iq({ type: 'get', to: server.domain }).c('query', { xmlns }),
        );
        assert.equal(answer.getAttribute('type'), 'result', xmlns);
    }
    desk.connection.send(
        $pres().c('status').t('here').up().c('priority').t('1').up().c('c', {
            xmlns: 'http://jabber.org/protocol/caps',
            hash: 'sha-1',
            node: 'https://example',
            ver: 'AAAA',
        }),
    );
    await desk.presence('finesse');
    const vcard = desk.ask($iq({ type: 'get' }).c('vCard', { xmlns: 'vcard-temp' }));
    await assert.rejects(vcard, { message: 'service-unavailable' });
    await desk.close();
});

test('COMPAT gosrc/xmpp (UCCX 12.5): /ws without the slash is the same', async () => {
    const raw = new server.WebSocket(server.ws.replace(/\/$/, ''), ['xmpp']);
    await new Promise((resolve, reject) => raw.once('open', resolve).once('error', reject));
    assert.equal(raw.protocol, 'xmpp');
    raw.terminate();
});

test('a negative priority gets no bare-JID events, an explicit subscription does', async () => {
    const quiet = new Desk(server, '1008', { resource: 'quiet' });
    await quiet.connect();
    quiet.connection.send($pres().c('priority').t('-1'));
    await quiet.presence('finesse');
    const desk = await new Desk(server, '1008').open();
    const node = '/finesse/api/User/1008';
    await setState(server, '1008', 'LOGIN', { requestId: 'quiet' });
    await desk.event(node, (text) => field(text, 'requestId') === 'quiet');
    await quiet.ask($iq({ type: 'get', to: server.domain }).c('ping', { xmlns: 'urn:xmpp:ping' }));
    assert.equal(quiet.events(node).length, 0);
    await quiet.subscribe(node);
    await setState(server, '1008', 'READY', { requestId: 'heard' });
    await quiet.event(node, (text) => field(text, 'requestId') === 'heard');
    await quiet.close();
    await desk.close();
});
