// @xmpp/client (xmpp.js) over TCP, with STARTTLS and over TLS.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, xml } from '@xmpp/client';
import { field, Inbox, PASSWORD, PATIENCE_MS, setState, start } from './server.mjs';

// Over TCP the library takes no certificates of its own; the laboratory's is self-signed.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

let server;
before(async () => {
    server = await start('--xmpp', '127.0.0.1:0', '--xmpps', '127.0.0.1:0', '--sasl2', 'off');
});
after(() => server?.stop());

function desk(scheme, username) {
    const service = `${scheme}://localhost:${server.told[scheme].split(':').pop()}`;
    const { domain } = server;
    const xmpp = client({
        timeout: PATIENCE_MS,
        service,
        domain,
        username,
        password: PASSWORD,
        resource: 'crm',
    });
    xmpp.reconnect.stop();
    const inbox = new Inbox();
    xmpp.on('stanza', (stanza) => inbox.push(stanza));
    xmpp.on('error', (error) => inbox.push(error));
    return { xmpp, inbox };
}

async function open(...who) {
    const one = desk(...who);
    await one.xmpp.start();
    await one.xmpp.send(xml('presence'));
    await one.inbox.until('presence of finesse', (stanza) =>
        stanza.attrs?.from?.startsWith('finesse@'),
    );
    return one;
}

for (const [scheme, user] of [
    ['xmpp', '1001'],
    ['xmpps', '1002'],
]) {
    test(`an agent gets the event of a REST change over ${scheme}`, async () => {
        const { xmpp, inbox } = await open(scheme, user);
        const requestId = `${scheme}-event`;
        await setState(server, user, 'LOGIN', { requestId });
        await inbox.until('event', (stanza) => {
            const items = stanza.getChild?.('event')?.getChild('items');
            const text = items?.getChild('item')?.getChildText('notification') ?? '';
            return items?.attrs.node.endsWith(user) && field(text, 'requestId') === requestId;
        });
        await xmpp.stop();
    });
}

test('a second desk of the same resource ends the first with a conflict', async () => {
    const first = await open('xmpp', '1004');
    const second = await open('xmpps', '1004');
    const error = await first.inbox.until('stream error', (thing) => thing instanceof Error);
    assert.equal(error.condition, 'conflict');
    await second.xmpp.stop();
});
