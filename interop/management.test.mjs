// Three libraries resume their streams over WebSocket when their line is cut (XEP-0198): @xmpp/client
// (xmpp.js), strophe.js, which has had it since version 4.1, and stanza.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { client, xml } from '@xmpp/client';
import { Desk } from './desk.mjs';
import { field, Inbox, PASSWORD, PATIENCE_MS, setState, start } from './server.mjs';

const require = createRequire(import.meta.url);
const platform = require('stanza/platform/node');
const { createClient } = require('stanza');

let server;
before(async () => {
    server = await start('--stream-management', 'offered', '--sasl2', 'off');
    platform.WebSocket = server.WebSocket;
});
after(() => server?.stop());

const node = (user) => `/finesse/api/User/${user}`;

/** Cuts in the middle of a row of events; each must come once. */
async function goesOn(user, { cut, back, seen }) {
    const [before, away1, away2, later] = [1, 2, 3, 4].map((n) => `${user}-${n}`);
    const change = (state, requestId) => setState(server, user, state, { requestId });
    await change('LOGIN', before);
    await seen.until(before, (id) => id === before);
    cut();
    await change('READY', away1);
    await change('NOT_READY', away2);
    await back();
    await seen.until(away2, (id) => id === away2);
    await change('READY', later);
    await seen.until(later, (id) => id === later);
    assert.deepEqual(seen.all, [before, away1, away2, later]);
}

test('@xmpp/client goes on where it was, and gets what happened meanwhile once', async () => {
    globalThis.WebSocket = server.WebSocket;
    const xmpp = client({
        timeout: PATIENCE_MS,
        service: server.ws,
        domain: server.domain,
        username: '1001',
        password: PASSWORD,
        resource: 'crm',
    });
    const [inbox, elements, seen] = [new Inbox(), new Inbox(), new Inbox()];
    xmpp.on('stanza', (stanza) => {
        inbox.push(stanza);
        const items = stanza.getChild?.('event')?.getChild('items');
        if (items?.attrs.node !== node('1001')) return;
        seen.push(field(items.getChild('item').getChildText('notification'), 'requestId'));
    });
    xmpp.on('error', () => {});
    xmpp.on('element', (element) => elements.push(element));
    xmpp.reconnect.delay = 500;
    await xmpp.start();
    await xmpp.send(xml('presence'));
    await inbox.until('presence of finesse', (stanza) => stanza.attrs?.from?.startsWith('finesse@'));
    const jid = xmpp.jid.toString();
    await elements.until('management', (element) => element.name === 'enabled');
    const cut = () => xmpp.socket.socket.terminate();
    const back = () => elements.until('resumption', (element) => element.name === 'resumed');
    await goesOn('1001', { cut, back, seen });
    assert.equal(xmpp.jid.toString(), jid);
    await xmpp.stop();
});

test('strophe.js goes on where it was, and gets what happened meanwhile once', async () => {
    const desk = new Desk(server, '1002', { options: { enableStreamManagement: true } });
    const { connection } = desk;
    const seen = new Inbox();
    const read = (message) => {
        const text = message.getElementsByTagName('notification')[0]?.textContent;
        if (text) seen.push(field(text, 'requestId'));
        return true;
    };
    connection.addHandler(read, null, 'message');
    await desk.open();
    assert.ok(connection.isStreamManagementEnabled(), 'the stream is managed');
    const { jid } = connection;
    const cut = () => connection._proto.socket.terminate();
    const back = async () => {
        await desk.ended();
        // A new connection starts with no handlers: they belong to the page, and it adds them.
        connection.addHandler(read, null, 'message');
        assert.equal(await desk.connect(), 'CONNECTED');
        assert.ok(connection.hasResumed(), 'the stream goes on');
    };
    await goesOn('1002', { cut, back, seen });
    assert.equal(connection.jid, jid);
    await desk.close();
});

test('stanza goes on where it was, and gets what happened meanwhile once', async () => {
    const [inbox, seen] = [new Inbox(), new Inbox()];
    const desk = createClient({
        jid: `1003@${server.domain}`,
        password: PASSWORD,
        resource: 'stanza',
        transports: { websocket: server.ws, bosh: false },
        autoReconnect: false,
    });
    for (const name of ['session:started', 'stream:management:resumed', 'presence', 'disconnected'])
        desk.on(name, (data) => inbox.push({ name, data, toString: () => name }));
    desk.on('raw:incoming', (text) => {
        if (!text.includes(`node="${node('1003')}"`)) return;
        const id = text.match(/requestId&gt;([^&]*)&lt;|requestId>([^<]*)</);
        seen.push(id?.[1] ?? id?.[2]);
    });
    const event = (name) => inbox.until(name, (thing) => thing.name === name);
    desk.connect();
    await event('session:started');
    desk.sendPresence();
    await event('presence');
    const { jid } = desk;
    const cut = () => desk.transport.socket.terminate();
    const back = async () => {
        await event('disconnected');
        desk.connect();
        await event('stream:management:resumed');
    };
    await goesOn('1003', { cut, back, seen });
    assert.equal(desk.jid, jid);
    desk.disconnect();
});
