// `aplomb watch` looks at a server that is not aplomb: Prosody, over WebSocket.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { test } from 'node:test';
import WebSocket from 'ws';
import { $iq, Desk } from './desk.mjs';
import { Inbox, PASSWORD, PROGRAM } from './server.mjs';

const skip = process.env.PROSODY ? false : 'set PROSODY to the path of its program';
const NODE = '/finesse/api/User/1001';
const PUBSUB = 'http://jabber.org/protocol/pubsub';

/** Starts a program; gives its lines as they come. */
function run(t, program, flags, env = {}) {
    const child = spawn(program, flags, {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => child.kill());
    const lines = new Inbox();
    for (const pipe of [child.stdout, child.stderr]) {
        readline.createInterface({ input: pipe }).on('line', (line) => lines.push(line));
    }
    const ended = new Promise((resolve) => child.once('exit', resolve));
    return { lines, ended };
}

const wsAt = (port) => `ws://127.0.0.1:${port}/xmpp-websocket`;

/** A line to a port that can be cut. */
async function line(t, to) {
    const ends = new Set();
    const server = createServer((near) => {
        const far = connect(to, '127.0.0.1');
        for (const [from, other] of [
            [near, far],
            [far, near],
        ]) {
            ends.add(from);
            from.pipe(other);
            from.on('error', () => {});
            from.on('close', () => other.destroy());
        }
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const cut = () => ends.forEach((end) => end.destroy());
    return { port: server.address().port, cut };
}

/** A port that was free a moment ago: Prosody cannot say which one it got. */
async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

/**
 * Debian's modules for SASL2, Bind 2 and FAST are of a newer Prosody than Debian's Prosody 0.12, which
 * lacks three small things that they take for granted.
 */
const NEWER = `
local dt = require "util.datetime"
local datetime = dt.datetime
dt.datetime = function (t) return datetime(t and math.floor(t)) end
module:hook("advertise-sasl-features", function (event)
    event.stream = event.stream or { from = "1001@localhost" }
end, 1000)
local stanza = require "util.stanza".stanza_mt.__index
stanza.get_child_attr = stanza.get_child_attr or function (self, name, xmlns, attr)
    local child = self:get_child(name, xmlns)
    return child and child.attr[attr]
end`;

async function startProsody(t, modules = []) {
    const home = await mkdtemp(path.join(tmpdir(), 'aplomb-interop-'));
    t.after(() => rm(home, { recursive: true, force: true }));
    const accounts = path.join(home, 'localhost/accounts');
    await mkdir(accounts, { recursive: true });
    for (const user of ['1001', 'bridge']) {
        await writeFile(path.join(accounts, `${user}.dat`), `return { password = "${PASSWORD}" }`);
    }
    await writeFile(path.join(home, 'mod_newer.lua'), NEWER);
    const more = modules.map((name) => `, "${name}"`).join('');
    const port = await freePort();
    const config = path.join(home, 'prosody.cfg.lua');
    await writeFile(
        config,
        `data_path = "${home}"; pidfile = "${home}/pid"; run_as_root = true
        modules_enabled = { "roster", "saslauth", "disco", "ping", "websocket"${more} }
        plugin_paths = { "${home}" }; insecure_sasl_mechanisms = {}
        modules_disabled = { "s2s" }
        c2s_ports = {}; s2s_ports = {}; https_ports = {}
        http_ports = { ${port} }; http_interfaces = { "127.0.0.1" }
        authentication = "internal_plain"; c2s_require_encryption = false
        allow_unencrypted_plain_auth = true; consider_websocket_secure = true
        log = { info = "*console" }
        VirtualHost "localhost"
        Component "pubsub.localhost" "pubsub"
            admins = { "bridge@localhost" }`,
    );
    const { lines } = run(t, process.env.PROSODY, ['--config', config, '-F']);
    await lines.until('WebSocket of Prosody', (line) => line.includes("Serving 'websocket'"));
    return { port, ws: wsAt(port), domain: 'localhost', WebSocket };
}

test('watch logs in to Prosody, subscribes, and prints an event', { skip }, async (t) => {
    const prosody = await startProsody(t);
    const bridge = new Desk(prosody, 'bridge');
    assert.equal(await bridge.connect(), 'CONNECTED');
    await bridge.pubsub('set', 'create', { node: NODE });

    const flags = ['watch', prosody.ws, '--domain', 'localhost', '--user', '1001', '--node', NODE];
    flags.push('--plain-without-tls', '--events', '1');
    const watch = run(t, PROGRAM, flags, { APLOMB_PASSWORD: PASSWORD });
    await watch.lines.until('subscription', (line) => line.includes(`Subscribed to ${NODE}`));
    const publish = $iq({ type: 'set', to: 'pubsub.localhost', id: 'p1' })
        .c('pubsub', { xmlns: PUBSUB })
        .c('publish', { node: NODE })
        .c('item')
        .c('notification', { xmlns: PUBSUB })
        .t('<Update><event>PUT</event></Update>');
    await bridge.ask(publish);
    await watch.lines.until('event', (line) => line.includes('<event>PUT</event>'));
    assert.equal(await watch.ended, 0);
    await bridge.close();
});

test('without TLS, watch proves a password to Prosody unsent', { skip }, async (t) => {
    const prosody = await startProsody(t);
    const flags = ['watch', prosody.ws, '--domain', 'localhost', '--user', '1001'];
    const right = run(t, PROGRAM, flags, { APLOMB_PASSWORD: PASSWORD });
    await right.lines.until('mechanism', (line) => line.includes('logs in by SCRAM-SHA-256'));
    await right.lines.until('login', (line) => line.includes('The login worked'));
    const wrong = run(t, PROGRAM, flags, { APLOMB_PASSWORD: 'wrong' });
    assert.equal(await wrong.ended, 6, 'the exit code of a refused login');
});

test('watch comes back to Prosody by its token, in one exchange', { skip }, async (t) => {
    const prosody = await startProsody(t, ['newer', 'sasl2', 'sasl2_bind2', 'sasl2_fast']);
    const { port, cut } = await line(t, prosody.port);
    const flags = ['watch', wsAt(port), '--domain', 'localhost', '--user', '1001', '--json'];
    flags.push('--plain-without-tls');
    const { lines } = run(t, PROGRAM, flags, { APLOMB_PASSWORD: PASSWORD });
    const means = (words) => (text) => text[0] === '{' && JSON.parse(text).meaning?.includes(words);
    const isThere = means('The client is here');
    await lines.until('first presence', isThere);
    const address = lines.all.find(means('the client is 1001@localhost/watch'));
    assert.ok(address && lines.all.some(means('logs in by SCRAM-SHA-256')), 'by SASL2 and Bind 2');

    const since = lines.all.length;
    cut();
    await lines.until('second presence', isThere, since);
    const steps = lines.all.slice(since).filter((text) => text.includes('"kind":"step"'));
    const meanings = steps.map((text) => JSON.parse(text).meaning);
    const from = meanings.findIndex((meaning) => meaning.startsWith('The client logs in'));
    assert.deepEqual(meanings.slice(from, from + 3), [
        'The client logs in by HT-SHA-256-NONE.',
        JSON.parse(address).meaning,
        'The server has no further steps.',
    ]);
});
