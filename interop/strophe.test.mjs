// strophe.js, the library under Cisco's desktop, walks the whole connection.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { $iq, Desk, Strophe } from './desk.mjs';
import { field, setState, start } from './server.mjs';

let server;
before(async () => (server = await start()));
after(() => server?.stop());

for (const [name, mechanism] of [
    ['PLAIN', Strophe.SASLPlain],
    ['SCRAM-SHA-256', Strophe.SASLSHA256],
]) {
    test(`an agent logs in with ${name}, changes state over REST and gets the event`, async () => {
        const desk = await new Desk(server, '1001', { mechanisms: [mechanism] }).open();
        const node = '/finesse/api/User/1001';
        const answer = await desk.subscribe(node);
        const subscription = answer.getElementsByTagName('subscription')[0];
        assert.equal(subscription.getAttribute('subscription'), 'subscribed');
        assert.equal(subscription.getAttribute('node'), node);
        assert.equal(subscription.getAttribute('jid'), desk.jid);

        await setState(server, '1001', 'LOGIN', { requestId: `login-${name}` });
        const { payload, message } = await desk.event(
            node,
            (text) => field(text, 'requestId') === `login-${name}`,
        );
        assert.equal(field(payload, 'state'), 'NOT_READY');
        assert.equal(field(payload, 'event'), 'PUT');
        assert.equal(field(payload, 'source'), node);
        assert.equal(message.getAttribute('from'), 'pubsub.localhost');
        assert.equal(
            message.getAttribute('to'),
            desk.jid,
            'an explicit subscription is of the full JID',
        );

        await setState(server, '1001', 'READY', { requestId: `ready-${name}` });
        const ready = await desk.event(
            node,
            (text) => field(text, 'requestId') === `ready-${name}`,
        );
        assert.equal(field(ready.payload, 'state'), 'READY');
        await setState(server, '1001', 'LOGOUT');
        await desk.close();
    });
}

test('a supervisor subscribes to a team and sees its agents', async () => {
    const desk = await new Desk(server, 'sup1').open();
    const node = '/finesse/api/Team/1/Users';
    await desk.subscribe(node);
    await setState(server, '1001', 'LOGIN', { requestId: 'team' });
    const { payload } = await desk.event(node, (text) => text.includes('/finesse/api/User/1001'));
    assert.match(payload, /<state>NOT_READY<\/state>/);
    await setState(server, '1001', 'LOGOUT');
    await desk.close();
});

test('an agent may not listen to another, and is not told whether there is one', async () => {
    const desk = await new Desk(server, '1002').open();
    const refusal = (node) =>
        desk.subscribe(node).then(
            () => 'subscribed',
            (error) => error.message,
        );
    const other = await refusal('/finesse/api/User/1003');
    assert.notEqual(other, 'subscribed');
    assert.equal(await refusal('/finesse/api/User/9999'), other);
    assert.equal(await refusal('/finesse/api/Team/1/Users'), other);
    await desk.close();
});

test('a wrong password is refused, and the right one works after it', async () => {
    const desk = new Desk(server, '1004');
    assert.equal(await desk.connect('wrong'), 'AUTHFAIL');
    desk.connection.disconnect();
    const again = await new Desk(server, '1004').open();
    await again.close();
});

test('a second desk ends the first with a conflict', async () => {
    const first = await new Desk(server, '1005').open();
    const second = await new Desk(server, '1005').open();
    const end = await first.statuses.until('conflict', ({ why }) => why === 'conflict');
    assert.ok(end);
    await first.ended();
    const ping = $iq({ type: 'get', to: server.domain }).c('ping', { xmlns: 'urn:xmpp:ping' });
    assert.equal((await second.ask(ping)).getAttribute('type'), 'result');
    await second.close();
});

test('two resources of one agent both get the event', async () => {
    const desktop = await new Desk(server, '1006').open();
    const crm = await new Desk(server, '1006', { resource: 'crm' }).open();
    await setState(server, '1006', 'LOGIN', { requestId: 'both' });
    for (const desk of [desktop, crm]) {
        const is = (text) => field(text, 'requestId') === 'both';
        const { message } = await desk.event('/finesse/api/User/1006', is);
        assert.equal(
            message.getAttribute('to'),
            desk.bare,
            'an automatic subscription is of the bare JID',
        );
    }
    await desktop.close();
    await crm.close();
});

test('a desk whose line is cut comes back and goes on', async () => {
    const desk = await new Desk(server, '1007').open();
    desk.connection._proto.socket.terminate();
    await desk.ended();
    const back = await new Desk(server, '1007').open();
    await setState(server, '1007', 'LOGIN', { requestId: 'back' });
    await back.event('/finesse/api/User/1007', (text) => field(text, 'requestId') === 'back');
    await back.close();
});

test('clear text is served where it is wanted, with PLAIN only where it is allowed', async (t) => {
    const clear = ['--insecure-http', '127.0.0.1:0'];
    const lab = await start(...clear);
    t.after(() => lab.stop());
    const strict = await start(...clear, '--plain-without-tls=false');
    t.after(() => strict.stop());
    for (const one of [lab, strict]) {
        const answer = await fetch(`http://${one.clear}/finesse/api/SystemInfo`);
        assert.equal(answer.status, 200);
        one.ws = `ws://${one.clear}/ws/`;
    }
    const login = (one, mechanism) => new Desk(one, '1001', { mechanisms: [mechanism] }).connect();
    assert.equal(await login(lab, Strophe.SASLPlain), 'CONNECTED');
    assert.equal(await login(strict, Strophe.SASLSHA256), 'CONNECTED');
    assert.notEqual(await login(strict, Strophe.SASLPlain), 'CONNECTED');
});

test('a server that stops says so to every desk, and ends with 0', async (t) => {
    const lab = await start();
    t.after(() => lab.stop());
    const desks = [new Desk(lab, '1001'), new Desk(lab, '1002')];
    await Promise.all(desks.map((desk) => desk.open()));
    await lab.stop();
    for (const desk of desks) {
        await desk.ended();
        const said = desk.statuses.all.map(String).join(', ');
        assert.ok(said.includes('system-shutdown'), said);
    }
});
