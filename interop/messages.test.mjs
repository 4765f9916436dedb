// Two agents of one team talk: strophe.js over BOSH, and stanza over WebSocket on two devices, with
// carbons (XEP-0280) and client state indication (XEP-0352).

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { $build, $pres, Desk } from './desk.mjs';
import { Inbox, PASSWORD, start } from './server.mjs';
import { xhrFor } from './xhr.mjs';

const require = createRequire(import.meta.url);
const platform = require('stanza/platform/node');
const { createClient } = require('stanza');

let server;
before(async () => {
    server = await start();
    platform.WebSocket = server.WebSocket;
});
after(() => server?.stop());

/** A device that runs stanza, logged in and available. */
async function device(user, resource) {
    const client = createClient({
        jid: `${user}@${server.domain}`,
        password: PASSWORD,
        resource,
        transports: { websocket: server.ws, bosh: false },
        autoReconnect: false,
    });
    const inbox = new Inbox();
    const names = ['session:started', 'presence', 'subscribe', 'chat', 'message:error'];
    for (const name of [...names, 'carbon:received', 'carbon:sent']) {
        client.on(name, (data) =>
            inbox.push({ name, data, toString: () => `${name} ${JSON.stringify(data)}` }),
        );
    }
    client.connect();
    await inbox.until('session', ({ name }) => name === 'session:started');
    client.sendPresence();
    await inbox.until('finesse', ({ data }) => data?.from?.startsWith('finesse@'));
    const hears = (wanted, is, since) =>
        inbox.until(wanted, ({ name, data }) => name === wanted && is(data), since);
    return { client, inbox, hears };
}

function overBosh(user) {
    globalThis.XMLHttpRequest = xhrFor(server);
    return new Desk(server, user, { service: server.bosh }).open();
}

const body = (text) => (message) => message.body === text;

test('agents talk over two carriers, and every device sees both sides', async () => {
    const ada = await overBosh('1001');
    const desk = await device('1004', 'desk');
    const tablet = await device('1004', 'tablet');
    await tablet.client.enableCarbons();
    const say = (text) =>
        ada.connection.send($build('message', { to: desk.client.jid, type: 'chat', id: text }).c('body').t(text));
    say('hello');
    const came = await desk.hears('chat', body('hello'));
    assert.equal(came.data.from, ada.jid);
    const copy = await tablet.hears('carbon:received', () => true);
    assert.equal(copy.data.from, desk.client.config.jid);
    assert.equal(copy.data.carbon.forward.message.body, 'hello');
    desk.client.sendMessage({ to: ada.jid, type: 'chat', body: 'hello yourself' });
    await ada.stanzas.until('answer', (stanza) => stanza.textContent === 'hello yourself');
    const sent = await tablet.hears('carbon:sent', () => true);
    assert.equal(sent.data.carbon.forward.message.body, 'hello yourself');
    await tablet.client.disableCarbons();
    say('in private');
    await desk.hears('chat', body('in private'));
    await tablet.client.ping(server.domain);
    const copies = tablet.inbox.all.filter(({ name }) => name === 'carbon:received');
    assert.equal(copies.length, 1);
    desk.client.disconnect();
    tablet.client.disconnect();
    await ada.close();
});

test('what nobody reads comes back, and a stranger learns nothing', async () => {
    const ada = await device('1001', 'desk');
    const eve = await device('1002', 'desk');
    ada.client.sendMessage({ to: `1004@${server.domain}`, type: 'chat', body: 'are you there' });
    const back = await ada.hears('message:error', () => true);
    assert.equal(back.data.error.condition, 'service-unavailable');
    const since = eve.inbox.all.length;
    eve.client.sendMessage({ to: `1001@${server.domain}`, type: 'chat', body: 'psst' });
    const refused = await eve.hears('message:error', () => true, since);
    assert.equal(refused.data.error.condition, 'service-unavailable');
    await ada.client.ping(server.domain);
    assert.ok(!ada.inbox.all.some(({ name }) => name === 'chat'));
    ada.client.disconnect();
    eve.client.disconnect();
});

test('a client that looks away gets the newest presence when it looks again', async () => {
    const ada = await overBosh('1007');
    const desk = await device('1010', 'desk');
    desk.client.subscribe(ada.bare);
    await ada.presence('1010', 'subscribe');
    ada.connection.send($pres({ to: `1010@${server.domain}`, type: 'subscribed' }));
    await desk.hears('presence', ({ from }) => from === ada.jid);
    // The `markInactive` of stanza 12 sends nothing: it names the field otherwise than it writes it.
    desk.client.send('csi', { state: 'inactive' });
    await desk.client.ping(server.domain);
    const since = desk.inbox.all.length;
    const show = (word) => ada.connection.send($build('presence').c('show').t(word));
    ['away', 'xa', 'dnd'].forEach(show);
    const ping = $build('iq', { type: 'get', id: 'p' }).c('ping', { xmlns: 'urn:xmpp:ping' });
    await ada.ask(ping);
    await desk.client.ping(server.domain);
    assert.deepEqual(desk.inbox.all.slice(since), []);
    desk.client.send('csi', { state: 'active' });
    await desk.hears('presence', ({ from }) => from === ada.jid, since);
    await desk.client.ping(server.domain);
    const shown = desk.inbox.all.slice(since).map(({ data }) => data.show);
    assert.deepEqual(shown, ['dnd']);
    desk.client.disconnect();
    await ada.close();
});
