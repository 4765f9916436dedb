// strophe.js over BOSH, as Finesse's older desktop and most published third-party code use it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { $iq, Desk, Strophe } from './desk.mjs';
import { field, setState, start } from './server.mjs';
import { xhrFor } from './xhr.mjs';

let server;
before(async () => (server = await start()));
after(() => server?.stop());

/** A desk over BOSH; `loses` says which answers get lost on the way. */
function desk(user, { loses, ...more } = {}) {
    globalThis.XMLHttpRequest = xhrFor(server, loses);
    return new Desk(server, user, { service: server.bosh, ...more });
}

const ping = () =>
    $iq({ type: 'get', to: server.domain }).c('ping', { xmlns: 'urn:xmpp:ping' });

for (const [name, mechanism] of [
    ['PLAIN', Strophe.SASLPlain],
    ['SCRAM-SHA-256', Strophe.SASLSHA256],
]) {
    test(`an agent logs in with ${name} over BOSH, changes state and gets the event`, async () => {
        const page = await desk('1001', { mechanisms: [mechanism] }).open();
        const node = '/finesse/api/User/1001';
        const answer = await page.subscribe(node);
        const subscription = answer.getElementsByTagName('subscription')[0];
        assert.equal(subscription.getAttribute('subscription'), 'subscribed');
        await setState(server, '1001', 'LOGIN', { requestId: `login-${name}` });
        const is = (text) => field(text, 'requestId') === `login-${name}`;
        const { payload, message } = await page.event(node, is);
        assert.equal(field(payload, 'state'), 'NOT_READY');
        assert.equal(message.getAttribute('from'), 'pubsub.localhost');
        await setState(server, '1001', 'LOGOUT');
        const since = server.log.all.length;
        await page.close();
        await server.log.until('end in order', (line) => line.includes('"code":"left"'), since);
    });
}

test('a wrong password is refused, and the right one works after it', async () => {
    const page = desk('1004');
    assert.equal(await page.connect('wrong'), 'AUTHFAIL');
    page.connection.disconnect();
    const again = await desk('1004').open();
    await again.close();
});

test('a second desk ends the first with a conflict', async () => {
    const first = await desk('1005').open();
    const second = await desk('1005').open();
    assert.ok(await first.statuses.until('conflict', ({ why }) => why === 'conflict'));
    assert.equal((await second.ask(ping())).getAttribute('type'), 'result');
    await second.close();
});

test('a request that is held for its whole time is followed by the next', async () => {
    const page = desk('1006', { wait: 1 });
    await page.open();
    // Three answers of nothing.
    await new Promise((resolve) => {
        let empty = 0;
        page.connection.xmlInput = (body) => {
            if (body.childNodes.length === 0 && (empty += 1) === 3) resolve();
        };
    });
    await setState(server, '1006', 'LOGIN', { requestId: 'after' });
    await page.event('/finesse/api/User/1006', (text) => field(text, 'requestId') === 'after');
    await page.close();
});

test('a page that takes over the session of another goes on with it', async () => {
    const first = await desk('1007').open();
    const { sid, rid } = first.connection._proto;
    first.connection.pause();
    const second = desk('1007');
    const attached = new Promise((resolve) => {
        second.connection.attach(first.connection.jid, sid, rid, (status) => {
            if (status === Strophe.Status.ATTACHED) resolve();
        });
    });
    await attached;
    await setState(server, '1007', 'LOGIN', { requestId: 'attached' });
    const is = (text) => field(text, 'requestId') === 'attached';
    await second.event('/finesse/api/User/1007', is);
    const since = server.log.all.length;
    second.connection.disconnect('bye');
    await server.log.until('end in order', (line) => line.includes('"code":"left"'), since);
});

test('answers that get lost come again: every event arrives once and in order', async () => {
    const page = await desk('1008', { loses: (n) => n > 8 && n % 3 === 0 }).open();
    const node = '/finesse/api/User/1008';
    await setState(server, '1008', 'LOGIN', { requestId: '0' });
    const states = ['READY', 'NOT_READY'];
    for (let n = 1; n <= 12; n += 1)
        await setState(server, '1008', states[n % 2], { requestId: String(n) });
    await page.event(node, (text) => field(text, 'requestId') === '12');
    const seen = page
        .events(node)
        .map((message) => message.getElementsByTagName('notification')[0].textContent);
    const expected = Array.from({ length: 13 }, (_, n) => String(n));
    assert.deepEqual(
        seen.map((text) => field(text, 'requestId')),
        expected,
    );
    await page.close();
});
