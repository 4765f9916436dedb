// @xmpp/client (xmpp.js) logs in by SASL2 with Bind 2, and is back by its token in one round trip
// (XEP-0388, XEP-0386, XEP-0484, XEP-0198).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, xml } from '@xmpp/client';
import { field, Inbox, PASSWORD, PATIENCE_MS, setState, start } from './server.mjs';

let server;
before(async () => (server = await start('--sasl2', 'offered')));
after(() => server?.stop());

const isEvent = (node, requestId) => (thing) => {
    const items = thing.getChild?.('event')?.getChild('items');
    const text = items?.getChild('item')?.getChildText('notification') ?? '';
    return items?.attrs.node === node && field(text, 'requestId') === requestId;
};

/** A client, and everything that it sends (`> name`) and gets, in order. */
function desk(username) {
    globalThis.WebSocket = server.WebSocket;
    const xmpp = client({
        timeout: PATIENCE_MS,
        service: server.ws,
        domain: server.domain,
        username,
        password: PASSWORD,
        resource: 'crm',
    });
    const wire = new Inbox();
    xmpp.on('element', (element) => wire.push(element));
    xmpp.on('send', (element) => wire.push({ sent: element }));
    xmpp.on('error', () => {});
    xmpp.reconnect.delay = 300;
    return { xmpp, wire };
}

const success = (thing) => thing.is?.('success', 'urn:xmpp:sasl:2');
const login = (things) => things.find(({ sent }) => sent?.name === 'authenticate').sent;

test('by password, then by token: the same address, the lost stream, no event lost', async () => {
    const { xmpp, wire } = desk('1001');
    const node = '/finesse/api/User/1001';
    await xmpp.start();
    await wire.until('success', success);
    const first = login(wire.all);
    assert.match(first.attrs.mechanism, /^SCRAM-/);
    assert.ok(first.getChild('bind', 'urn:xmpp:bind:0').getChild('enable', 'urn:xmpp:sm:3'));
    assert.equal(
        first.getChild('request-token', 'urn:xmpp:fast:0').attrs.mechanism,
        'HT-SHA-256-NONE',
    );
    const bound = wire.all.find(success);
    assert.ok(bound.getChild('bound').getChild('enabled').attrs.id);
    assert.ok(bound.getChild('token', 'urn:xmpp:fast:0').attrs.token);
    const jid = xmpp.jid.toString();
    assert.match(jid, /^1001@localhost\/crm\/[0-9a-f]{10}$/);
    await xmpp.send(xml('presence'));
    await wire.until('presence of finesse', (thing) => thing.attrs?.from?.startsWith('finesse@'));
    await setState(server, '1001', 'LOGIN', { requestId: 's1' });
    await wire.until('event before the cut', isEvent(node, 's1'));

    let since = wire.all.length;
    xmpp.socket.socket.terminate();
    await setState(server, '1001', 'READY', { requestId: 's2' });
    const back = await wire.until('second success', success, since);
    const things = wire.all.slice(since);
    const second = login(things);
    assert.equal(second.attrs.mechanism, 'HT-SHA-256-NONE');
    assert.ok(second.getChild('fast', 'urn:xmpp:fast:0') && second.getChild('resume'));
    assert.ok(back.getChild('resumed', 'urn:xmpp:sm:3'), back.toString());
    assert.equal(back.getChildText('authorization-identifier'), jid);
    const passed = things.slice(0, things.indexOf(back) + 1);
    const steps = passed.map((thing) => (thing.sent ? `> ${thing.sent.name}` : thing.name));
    assert.deepEqual(
        steps.filter((step) => /features|authenticate|success/.test(step)),
        ['stream:features', '> authenticate', 'success'],
        'one round trip after the header',
    );
    await wire.until('event of the time between', isEvent(node, 's2'), since);
    assert.equal(wire.all.filter(isEvent(node, 's2')).length, 1);

    // It went in order, so there is no stream to go on with: but its address is the same.
    await xmpp.stop();
    since = wire.all.length;
    await xmpp.start();
    const again = await wire.until('third success', success, since);
    assert.equal(login(wire.all.slice(since)).attrs.mechanism, 'HT-SHA-256-NONE');
    assert.ok(again.getChild('bound', 'urn:xmpp:bind:0'), again.toString());
    assert.equal(xmpp.jid.toString(), jid);
    await xmpp.stop();
});

test('a token that is worth nothing any more is followed by the password', async () => {
    const { xmpp, wire } = desk('1002');
    await xmpp.start();
    const token = await xmpp.fast.fetch();
    await xmpp.stop();
    await xmpp.fast.save({ ...token, token: 'not-this-one' });
    const since = wire.all.length;
    await xmpp.start();
    await wire.until('success', success, since);
    const things = wire.all.slice(since);
    const tried = things.filter(({ sent }) => sent?.name === 'authenticate');
    const mechanisms = tried.map(({ sent }) => sent.attrs.mechanism);
    assert.equal(mechanisms.length, 2);
    assert.equal(mechanisms[0], 'HT-SHA-256-NONE');
    assert.match(mechanisms[1], /^SCRAM-/);
    const failure = things.find((thing) => thing.is?.('failure', 'urn:xmpp:sasl:2'));
    assert.ok(failure.getChild('not-authorized'), failure.toString());
    await xmpp.stop();
});
