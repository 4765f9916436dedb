// How clients log in: by which mechanism, and bound to what, as the server saw it.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { client } from '@xmpp/client';
import { Desk, Strophe } from './desk.mjs';
import { Inbox, PASSWORD, PATIENCE_MS, PROGRAM, start } from './server.mjs';
import { xhrFor } from './xhr.mjs';

const require = createRequire(import.meta.url);

let server;
before(async () => {
    server = await start('--xmpp', '127.0.0.1:0', '--xmpps', '127.0.0.1:0');
    await writeFile(path.join(server.home, 'ca.pem'), server.ca);
});
after(() => server?.stop());

/** How a user logged in since then: `SCRAM-SHA-1` or `SCRAM-SHA-1-PLUS by tls-exporter`. */
async function loginOf(user, since = 0, one = server) {
    const is = (line) => line.includes('"logged in"') && JSON.parse(line).name === user;
    const { mechanism, binding } = JSON.parse(await one.log.until(`login of ${user}`, is, since));
    return binding ? `${mechanism} by ${binding}` : mechanism;
}

const hashes = [
    ['SCRAM-SHA-1', Strophe.SASLSHA1],
    ['SCRAM-SHA-256', Strophe.SASLSHA256],
    ['SCRAM-SHA-512', Strophe.SASLSHA512],
];

for (const carrier of ['ws', 'bosh']) {
    for (const [name, mechanism] of hashes) {
        test(`strophe.js logs in by ${name} over ${carrier}`, async () => {
            globalThis.XMLHttpRequest = xhrFor(server);
            const since = server.log.all.length;
            const more = { mechanisms: [mechanism], service: server[carrier] };
            const desk = await new Desk(server, '1001', more).open();
            assert.equal(await loginOf('1001', since), name);
            await desk.close();
            const wrong = new Desk(server, '1002', more);
            assert.equal(await wrong.connect('wrong'), 'AUTHFAIL');
            wrong.connection.disconnect();
        });
    }
}

test('strophe.js 1.6, which refuses a challenge with an extension, logs in', async () => {
    globalThis.WebSocket = server.WebSocket;
    globalThis.DOMParser = require('@xmldom/xmldom').DOMParser;
    const { Strophe: Old } = require('strophe-1.6').default ?? require('strophe-1.6');
    assert.match(Old.VERSION, /^1\.6\./);
    for (const [name, mechanism] of [
        ['SCRAM-SHA-512', Old.SASLSHA512],
        ['SCRAM-SHA-1', Old.SASLSHA1],
    ]) {
        const since = server.log.all.length;
        const connection = new Old.Connection(server.ws, { mechanisms: [mechanism] });
        await new Promise((resolve, reject) => {
            const late = setTimeout(() => reject(new Error('no login')), 10_000);
            connection.connect(`1003@${server.domain}/old`, PASSWORD, (status, why) => {
                if (status === Old.Status.CONNECTED) {
                    clearTimeout(late);
                    resolve();
                } else if (status === Old.Status.AUTHFAIL) reject(new Error(why));
            });
        });
        assert.equal(await loginOf('1003', since), name);
        connection.disconnect();
    }
});

test('stanza takes the bound form wherever it is, and binds nothing', async () => {
    require('stanza/platform/node').WebSocket = server.WebSocket;
    const stanza = require('stanza').createClient({
        jid: `1004@${server.domain}`,
        password: PASSWORD,
        transports: { websocket: server.ws, bosh: false },
        autoReconnect: false,
    });
    const sent = new Inbox();
    stanza.on('raw:outgoing', (text) => sent.push(text));
    stanza.connect();
    assert.equal(await loginOf('1004'), 'SCRAM-SHA-256');
    assert.ok(sent.all.some((text) => text.includes('SCRAM-SHA-256-PLUS')));
    stanza.disconnect();
});

test('@xmpp/client logs in by SCRAM-SHA-1, the only one that it has', async () => {
    globalThis.WebSocket = server.WebSocket;
    const { ws: service, domain } = server;
    const xmpp = client({
        timeout: PATIENCE_MS,
        service,
        domain,
        username: '1005',
        password: PASSWORD,
    });
    await xmpp.start();
    assert.equal(await loginOf('1005'), 'SCRAM-SHA-1');
    await xmpp.stop();
});

/** Runs `aplomb watch` until it is logged in or over; gives what it says. */
async function tell(url, user, ...flags) {
    const all = ['watch', url, '--user', user, '--domain', 'localhost', ...flags];
    const env = { ...process.env, APLOMB_PASSWORD: PASSWORD };
    const child = spawn(PROGRAM, all, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stderr.on('data', (part) => (text += part));
    const ended = new Promise((resolve) => child.once('close', resolve));
    const isIn = new Promise((resolve) => {
        child.stdout.on('data', (part) => {
            text += part;
            if (text.includes('The login worked')) resolve();
        });
    });
    await Promise.race([isIn, ended]);
    child.kill();
    await ended;
    return text.replace(/\s+/g, ' ');
}

test('aplomb watch takes the strongest that each carrier has, and says so', async () => {
    const port = (name) => server.told[name].split(':').pop();
    const ways = [
        ['1006', server.ws, 'tls-exporter'],
        ['1007', `xmpp://localhost:${port('xmpp')}`, 'tls-exporter'],
        ['1008', `xmpps://localhost:${port('xmpps')}`, 'tls-exporter'],
        ['1009', server.bosh, 'tls-server-end-point'],
    ];
    for (const [user, url, binding] of ways) {
        const said = await tell(url, user, '--ca', path.join(server.home, 'ca.pem'));
        assert.equal(await loginOf(user), `SCRAM-SHA-512-PLUS by ${binding}`, url);
        const words = `by SCRAM-SHA-512-PLUS, bound to this connection by ${binding}.`;
        assert.ok(said.includes(words), said);
    }
});

/**
 * Somebody in between, with a certificate of his own, who passes on what both sides say, but for
 * what `change` makes of the server's words. Gives his port.
 */
async function between(t, change = (text) => text) {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(server.home, name));
    const how = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost';
    execFileSync('openssl', [...how.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const inside = { host: '127.0.0.1', port: server.told.xmpps.split(':').pop() };
    const own = { key: readFileSync(key), cert: readFileSync(cert) };
    const listener = tls.createServer(own, (victim) => {
        const to = tls.connect({ ...inside, rejectUnauthorized: false });
        victim.on('data', (bytes) => to.write(bytes)).on('close', () => to.destroy());
        to.on('data', (bytes) => victim.write(change(String(bytes))));
        to.on('close', () => victim.destroy());
        for (const socket of [victim, to]) socket.on('error', () => {});
    });
    await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
    t.after(() => listener.close());
    return listener.address().port;
}

for (const [what, change, words] of [
    ['passes all on', (text) => text, 'bound to another TLS connection'],
    [
        'takes every bound form away',
        (text) => text.replace(/<mechanism>SCRAM-SHA-\d+-PLUS<\/mechanism>/g, ''),
        'your client was told that they cannot',
    ],
    [
        'takes the strongest away',
        (text) => text.replace(/<mechanism>SCRAM-SHA-512(-PLUS)?<\/mechanism>/g, ''),
        'somebody in between took the better ones away',
    ],
    [
        'takes a type of binding away',
        (text) => text.replace(/<channel-binding type=.tls-exporter.\/>/g, ''),
        'somebody in between took the better ones away',
    ],
]) {
    test(`aplomb watch does not log in where somebody in between ${what}`, async (t) => {
        const url = `xmpps://localhost:${await between(t, change)}`;
        const since = server.log.all.length;
        const text = await tell(url, '1010', '--insecure');
        assert.ok(text.includes(words), text);
        const logins = server.log.all.slice(since).filter((line) => line.includes('"logged in"'));
        assert.deepEqual(logins, []);
    });
}

test('an operator leaves out what he does not want', async () => {
    const few = await start('--sasl-mechanisms', 'SCRAM-SHA-256,PLAIN');
    try {
        await writeFile(path.join(few.home, 'ca.pem'), few.ca);
        await tell(few.ws, '1001', '--ca', path.join(few.home, 'ca.pem'));
        assert.equal(await loginOf('1001', 0, few), 'SCRAM-SHA-256');
        const refused = new Desk(few, '1002', { mechanisms: [Strophe.SASLSHA512] });
        assert.notEqual(await refused.connect(), 'CONNECTED');
    } finally {
        await few.stop();
    }
});
