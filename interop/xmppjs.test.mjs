// @xmpp/client (xmpp.js) walks the whole connection.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, xml } from '@xmpp/client';
import { field, Inbox, PATIENCE_MS, setState, start } from './server.mjs';

let server;
before(async () => (server = await start('--sasl2', 'off')));
after(() => server?.stop());

function desk(username, { password = 'opensesame', resource = 'crm' } = {}) {
    globalThis.WebSocket = server.WebSocket;
    const xmpp = client({
        timeout: PATIENCE_MS,
        service: server.ws,
        domain: server.domain,
        username,
        password,
        resource,
    });
    const inbox = new Inbox();
    xmpp.on('stanza', (stanza) => inbox.push(stanza));
    xmpp.on('error', (error) => inbox.push(error));
    xmpp.reconnect.delay = 100;
    const online = () => new Promise((resolve) => xmpp.once('online', resolve));
    return { xmpp, inbox, online };
}

const event = (inbox, node, requestId) =>
    inbox.until(`event ${requestId} of ${node}`, (stanza) => {
        const items = stanza.getChild?.('event')?.getChild('items');
        const text = items?.getChild('item')?.getChildText('notification') ?? '';
        return items?.attrs.node === node && field(text, 'requestId') === requestId;
    });

async function open(user, options) {
    const one = desk(user, options);
    await one.xmpp.start();
    await one.xmpp.send(xml('presence'));
    await one.inbox.until('presence of finesse', (stanza) =>
        stanza.attrs?.from?.startsWith('finesse@'),
    );
    return one;
}

test('an agent walks the connection and gets the event of a REST change', async () => {
    const { xmpp, inbox } = await open('1001');
    const node = '/finesse/api/User/1001';
    const subscribe = xml(
        'pubsub',
        { xmlns: 'http://jabber.org/protocol/pubsub' },
        xml('subscribe', { node, jid: xmpp.jid.toString() }),
    );
    const answer = await xmpp.iqCaller.set(subscribe, `pubsub.${server.domain}`);
    assert.equal(answer.getChild('subscription').attrs.subscription, 'subscribed');
    await setState(server, '1001', 'LOGIN', { requestId: 'x1' });
    await event(inbox, node, 'x1');
    await setState(server, '1001', 'LOGOUT');
    await xmpp.stop();
});

test('a supervisor sees a team', async () => {
    const { xmpp, inbox } = await open('sup2');
    const node = '/finesse/api/Team/2/Users';
    const subscribe = xml(
        'pubsub',
        { xmlns: 'http://jabber.org/protocol/pubsub' },
        xml('subscribe', { node, jid: xmpp.jid.toString() }),
    );
    await xmpp.iqCaller.set(subscribe, `pubsub.${server.domain}`);
    const team = await server.rest('GET', '/finesse/api/Team/2', { user: 'sup2' });
    const agent = team.text.match(/<loginId>(1\d+)<\/loginId>/)[1];
    await setState(server, agent, 'LOGIN', { requestId: 'x2' });
    await inbox.until('event of the team', (stanza) => {
        const items = stanza.getChild?.('event')?.getChild('items');
        return (
            items?.attrs.node === node && items.toString().includes(`/finesse/api/User/${agent}`)
        );
    });
    await xmpp.stop();
});

test('a wrong password is refused', async () => {
    const { xmpp } = desk('1002', { password: 'wrong' });
    await assert.rejects(xmpp.start(), { name: 'SASLError', condition: 'not-authorized' });
    await xmpp.stop();
});

test('a second desk of the same resource ends the first with a conflict', async () => {
    const first = await open('1003');
    first.xmpp.reconnect.stop();
    const second = await open('1003');
    const error = await first.inbox.until('stream error', (thing) => thing instanceof Error);
    assert.equal(error.condition, 'conflict');
    await second.xmpp.stop();
    await first.xmpp.stop();
});

test('it reconnects by itself when its line is cut, and gets events again', async () => {
    const { xmpp, inbox, online } = await open('1004');
    const back = online();
    xmpp.socket.socket.terminate();
    await back;
    await xmpp.send(xml('presence'));
    await inbox.until(
        'second presence of finesse',
        (stanza) => stanza.attrs?.from?.startsWith('finesse@'),
        inbox.all.length,
    );
    await setState(server, '1004', 'LOGIN', { requestId: 'x4' });
    await event(inbox, '/finesse/api/User/1004', 'x4');
    await xmpp.stop();
});
