// stanza (formerly stanza.io) walks the whole connection. It picks SCRAM where it is offered.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { field, Inbox, PASSWORD, setState, start } from './server.mjs';

const require = createRequire(import.meta.url);
const platform = require('stanza/platform/node');
const { createClient } = require('stanza');

let server;
before(async () => {
    server = await start();
    platform.WebSocket = server.WebSocket;
});
after(() => server?.stop());

function desk(user, { password = PASSWORD, resource = 'stanza' } = {}) {
    const client = createClient({
        jid: `${user}@${server.domain}`,
        password,
        resource,
        transports: { websocket: server.ws, bosh: false },
        autoReconnect: false,
    });
    const inbox = new Inbox();
    for (const name of [
        'auth:failed',
        'session:started',
        'presence',
        'pubsub:event',
        'streamError',
        'disconnected',
    ]) {
        client.on(name, (data) =>
            inbox.push({ name, data, toString: () => `${name} ${JSON.stringify(data)}` }),
        );
    }
    const sent = new Inbox();
    client.on('raw:outgoing', (text) => sent.push(text));
    client.connect();
    return { client, inbox, sent };
}

test('an agent walks the connection and gets the event of a REST change', async () => {
    const { client, inbox, sent } = desk('1001');
    await inbox.until('session', ({ name }) => name === 'session:started');
    assert.ok(
        sent.all.some((text) => text.includes('SCRAM-SHA-256')),
        'it chose SCRAM',
    );
    client.sendPresence();
    await inbox.until(
        'presence of finesse',
        ({ name, data }) => name === 'presence' && data.from.startsWith('finesse@'),
    );
    const node = '/finesse/api/User/1001';
    const answer = await client.subscribeToNode(`pubsub.${server.domain}`, {
        node,
        jid: client.jid,
    });
    assert.equal(answer.state, 'subscribed');
    const since = inbox.all.length;
    await setState(server, '1001', 'LOGIN', { requestId: 's1' });
    const event = await inbox.until('event', ({ name }) => name === 'pubsub:event', since);
    assert.equal(event.data.pubsub.items.node, node);
    client.disconnect();
    await inbox.until('end', ({ name }) => name === 'disconnected');
});

test('it reads the items of its node', async () => {
    const { client, inbox } = desk('1002');
    await inbox.until('session', ({ name }) => name === 'session:started');
    await setState(server, '1002', 'LOGIN', { requestId: 's2' });
    const items = await client.getItems(`pubsub.${server.domain}`, '/finesse/api/User/1002', {
        max: 1,
    });
    assert.equal(items.items.length, 1);
    client.disconnect();
});

test('a wrong password is refused', async () => {
    const { client, inbox } = desk('1003', { password: 'wrong' });
    await inbox.until('refusal', ({ name }) => name === 'auth:failed');
    client.disconnect();
});

test('a second desk ends the first with a conflict', async () => {
    const first = desk('1004');
    await first.inbox.until('session', ({ name }) => name === 'session:started');
    const second = desk('1004');
    await second.inbox.until('session', ({ name }) => name === 'session:started');
    const error = await first.inbox.until('stream error', ({ name }) => name === 'streamError');
    assert.equal(error.data.condition, 'conflict');
    second.client.disconnect();
});

test('two people come to see each other', async () => {
    const ada = desk('1001');
    const bob = desk('1004');
    for (const { client, inbox } of [ada, bob]) {
        for (const name of ['subscribe', 'roster:update', 'available', 'unavailable']) {
            client.on(name, (data) =>
                inbox.push({ name, data, toString: () => `${name} ${JSON.stringify(data)}` }),
            );
        }
        await inbox.until('session', ({ name }) => name === 'session:started');
        assert.deepEqual((await client.getRoster()).items, []);
        client.sendPresence();
    }
    const address = `1004@${server.domain}`;
    await ada.client.updateRosterItem({ jid: address, name: 'Bob', groups: ['Team 1'] });
    ada.client.subscribe(address);
    const asked = await bob.inbox.until('wish', ({ name }) => name === 'subscribe');
    assert.equal(asked.data.from, `1001@${server.domain}`);
    bob.client.acceptSubscription(`1001@${server.domain}`);
    const from = ({ name, data }, what) => name === what && data.from === `${address}/stanza`;
    await ada.inbox.until('presence of Bob', (thing) => from(thing, 'available'));
    bob.client.sendPresence({ show: 'dnd', status: 'in a call' });
    await ada.inbox.until('busy', (thing) => from(thing, 'available') && thing.data.show === 'dnd');
    const { items } = await ada.client.getRoster();
    assert.equal(items.length, 1);
    assert.equal(items[0].subscription, 'to');
    assert.equal(items[0].name, 'Bob');
    assert.deepEqual(items[0].groups, ['Team 1']);
    bob.client.disconnect();
    await ada.inbox.until('end of Bob', (thing) => from(thing, 'unavailable'));
    await ada.client.removeRosterItem(address);
    assert.deepEqual((await ada.client.getRoster()).items, []);
    ada.client.disconnect();
});
