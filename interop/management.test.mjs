// @xmpp/client (xmpp.js) resumes its stream when its line is cut (XEP-0198).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, xml } from '@xmpp/client';
import { field, Inbox, PASSWORD, setState, start } from './server.mjs';

let server;
before(async () => (server = await start('--stream-management', 'offered')));
after(() => server?.stop());

const NODE = '/finesse/api/User/1001';

const isEvent = (requestId) => (stanza) => {
    const items = stanza.getChild?.('event')?.getChild('items');
    const text = items?.getChild('item')?.getChildText('notification') ?? '';
    return items?.attrs.node === NODE && field(text, 'requestId') === requestId;
};

test('it goes on where it was, and gets what happened meanwhile once', async () => {
    globalThis.WebSocket = server.WebSocket;
    const xmpp = client({
        service: server.ws,
        domain: server.domain,
        username: '1001',
        password: PASSWORD,
        resource: 'crm',
    });
    const inbox = new Inbox();
    const elements = new Inbox();
    xmpp.on('stanza', (stanza) => inbox.push(stanza));
    xmpp.on('error', () => {});
    xmpp.on('element', (element) => elements.push(element));
    xmpp.reconnect.delay = 500;
    await xmpp.start();
    await xmpp.send(xml('presence'));
    await inbox.until('presence of finesse', (stanza) => stanza.attrs?.from?.startsWith('finesse@'));
    const jid = xmpp.jid.toString();
    await elements.until('management', (element) => element.name === 'enabled');

    await setState(server, '1001', 'LOGIN', { requestId: 'm1' });
    await inbox.until('event before the cut', isEvent('m1'));
    xmpp.socket.socket.terminate();
    await setState(server, '1001', 'READY', { requestId: 'm2' });
    await setState(server, '1001', 'NOT_READY', { requestId: 'm3' });
    await elements.until('resumption', (element) => element.name === 'resumed');
    await inbox.until('event of the time between', isEvent('m3'));
    await setState(server, '1001', 'READY', { requestId: 'm4' });
    await inbox.until('event after the resumption', isEvent('m4'));

    const counts = ['m1', 'm2', 'm3', 'm4'].map((id) => inbox.all.filter(isEvent(id)).length);
    assert.deepEqual(counts, [1, 1, 1, 1]);
    assert.equal(xmpp.jid.toString(), jid);
    await xmpp.stop();
});
