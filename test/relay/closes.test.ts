import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import { errorKinds, type ErrorCode } from '@porthole/shared/errors';
import { constantSecret } from '@porthole/shared/config/secret';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../eventually.ts';
import type { ConsoleClient } from './console-client.ts';
import { createRelayRig, grantKey, relayToken, type RelayRig, type RigOptions } from './rig.ts';

let rig: RelayRig;
afterEach(() => rig.stop());

const start = async (options: RigOptions = {}) => (rig = await createRelayRig(options));

/** The console ended with this error's close code and text, and the log names the error. */
async function expectClose(client: ConsoleClient, error: ErrorCode): Promise<void> {
  const { close, text } = errorKinds[error];
  expect(await client.closed).toEqual({ code: closeCodes[close].code, reason: text });
  await eventually('the log says why', () => rig.logged.some((line) => line.includes(`"end":"${error}"`)));
  await eventually('nothing is left at Proxmox', () => rig.proxmox.openConsoles() === 0);
}

/** Fails fast enough for a test, slow enough for a busy machine. */
const impatient = { firstByte: 300, authenticate: 300 };

test('4409: a machine that does not run is said to be off, before Proxmox is asked for a console', async () => {
  await start();
  await rig.guest.stop();
  await expectClose(await rig.open(), 'machine_stopped');
  expect(rig.proxmox.calls.some(({ path }) => path.endsWith('/vncproxy'))).toBe(false);
});

test('4409: a machine that stops while its console is being opened is said to be off', async () => {
  await start({ proxmox: { qmStartMs: 200 } });
  const client = await rig.open();
  await eventually('the dial has come to authentication', () =>
    client.messages.some((message) => message.type === 'opening' && message.step === 'authenticate'),
  );
  await rig.guest.stop();
  await expectClose(client, 'machine_stopped');
});

test('1000: a machine that is shut down ends its console with that sentence', async () => {
  await start();
  const client = await rig.open();
  await client.rfb();
  await rig.guest.shutdown();
  await expectClose(client, 'machine_ended');
});

test('4404: a machine that was deleted is not found', async () => {
  await start();
  rig.proxmox.removeGuest(100);
  await expectClose(await rig.open(), 'machine_not_found');
});

test('a machine that moved to another node since the grant is found there', async () => {
  await start();
  rig.proxmox.migrate(100, 'pve2');
  const client = await rig.open({ node: 'pve1' });
  await client.rfb();
  const call = rig.proxmox.calls.find(({ path }) => path.endsWith('/vncproxy'));
  expect(call?.node).toBe('pve2');
  client.close();
});

test('4404: a console whose machine moves away says so, and the next one opens at the new node', async () => {
  await start();
  const client = await rig.open();
  await client.rfb();
  rig.proxmox.migrate(100, 'pve2');
  await expectClose(client, 'machine_not_found');
  await (await rig.open()).rfb();
});

test('4504: a console that Proxmox drops although the machine runs is said to be lost', async () => {
  await start();
  const client = await rig.open();
  await client.rfb();
  rig.proxmox.dropConsoles(100);
  await expectClose(client, 'console_lost');
});

test('4502: Proxmox refuses the token', async () => {
  await start({
    cluster: (url, caPem) => ({
      name: 'lab',
      urls: url,
      credential: { token: relayToken.id, secret: constantSecret('wrong') },
      tls: { caFile: constantSecret(caPem) },
    }),
  });
  await expectClose(await rig.open(), 'proxmox_credential');
});

test('4502: the account lacks VM.Console', async () => {
  await start();
  rig.proxmox.setAcl('porthole@pve', { '/': ['VM.Audit', 'Sys.Audit'] });
  await expectClose(await rig.open(), 'proxmox_permission');
});

test('4502: the certificate is not the expected one', async () => {
  await start({
    cluster: (url) => ({
      name: 'lab',
      urls: url,
      credential: { token: relayToken.id, secret: constantSecret(relayToken.secret) },
      tls: { fingerprints: Array.from({ length: 32 }, () => 'AB').join(':') },
    }),
  });
  await expectClose(await rig.open(), 'proxmox_tls');
});

test('4502: Proxmox answers nonsense twice', async () => {
  await start();
  rig.proxmox.refuseVncproxy(100, { body: '<html>maintenance</html>' });
  await expectClose(await rig.open(), 'proxmox_invalid_response');
});

test('a vncproxy that fails once for want of a worker is tried again, unseen', async () => {
  await start();
  rig.proxmox.refuseVncproxy(100, {
    status: 500,
    message: 'got no worker upid - start worker failed',
    times: 1,
  });
  const client = await rig.open();
  await client.rfb();
  expect(rig.proxmox.calls.filter(({ path }) => path.endsWith('/vncproxy'))).toHaveLength(2);
  client.close();
});

test('4504: no Proxmox answers at all', async () => {
  await start();
  await rig.proxmox.setNodeDown('pve1', true);
  await rig.proxmox.setNodeDown('pve2', true);
  await expectClose(await rig.open(), 'proxmox_unreachable');
});

test('4504: Proxmox takes the request and never answers', async () => {
  await start({ deadlines: { console: 300 } });
  rig.proxmox.refuseVncproxy(100, { noAnswer: true });
  await expectClose(await rig.open(), 'proxmox_timeout');
});

test('4504: the console opens and stays silent', async () => {
  await start({ deadlines: impatient });
  rig.proxmox.stallConsole(100);
  expect(await (await rig.open()).closed).toEqual({ code: 4504, reason: errorKinds.console_timeout.text });
});

test('4504: all of opening takes too long, though no step of it does', async () => {
  await start({ deadlines: { dial: 300 } });
  rig.proxmox.stallConsole(100);
  await expectClose(await rig.open(), 'proxmox_timeout');
  await eventually('nothing is left at Proxmox', () => rig.proxmox.openConsoles() === 0);
});

test('4504: the machine’s monitor hangs, so Proxmox closes without a byte', async () => {
  await start({ proxmox: { monitorHungMs: 50 } });
  rig.proxmox.hang(100);
  await expectClose(await rig.open(), 'console_lost');
});

test.each(['ev', 'perl'] as const)(
  '4504: the console port is gone by the time of the upgrade (event loop %s)',
  async (eventLoop) => {
    await start({
      proxmox: { eventLoop, listenerWindowMs: 1, workerDeathMs: 50, vncproxyMs: 30 },
      deadlines: { connect: 500 },
    });
    const { code } = await (await rig.open()).closed;
    expect(code).toBe(4504);
  },
);

test('4503: nobody got out of line in time', async () => {
  await start({ limits: { queueSeconds: 1 } });
  rig.proxmox.stallConsole(100);
  const first = await rig.open();
  await eventually('the first one dials', () => first.messages.length > 0);
  const second = await rig.open();
  await eventually('the second is told its place', () => second.messages.length > 0);
  expect(second.messages[0]).toEqual({ type: 'queued', position: 1 });
  expect(await second.closed).toEqual({ code: 4503, reason: errorKinds.queue_timeout.text });
  first.socket.terminate();
});

test('4503: the line is as long as it may get', async () => {
  await start({ limits: { queuedPerRelay: 1 } });
  rig.proxmox.stallConsole(100);
  const first = await rig.open();
  await eventually('the first one dials', () => first.messages.length > 0);
  const second = await rig.open();
  await eventually('the second waits', () => second.messages.length > 0);
  expect(await (await rig.open()).closed).toEqual({ code: 4503, reason: errorKinds.queue_full.text });
  first.socket.terminate();
  second.socket.terminate();
});

test.each([
  ['user_limit', { perUser: 1, perMachine: 9 }],
  ['machine_limit', { perUser: 9, perMachine: 1 }],
] as const)('4429: %s is kept, and a console that was closed no longer counts', async (error, numbers) => {
  await start();
  const limits = { sessionSeconds: 60, idleSeconds: 60, ...numbers };
  const first = await rig.open({ limits });
  await first.rfb();
  expect(await (await rig.open({ limits })).closed).toEqual({ code: 4429, reason: errorKinds[error].text });
  first.close();
  await eventually('the place is free again', async () => {
    const next = await rig.open({ limits });
    const opened = next.rfb().then(
      () => true,
      () => false,
    );
    return opened;
  });
});

test('4429: the relay carries as many consoles as it may', async () => {
  await start({ limits: { consolesPerRelay: 1 } });
  const first = await rig.open();
  await first.rfb();
  expect(await (await rig.open()).closed).toEqual({ code: 4429, reason: errorKinds.relay_full.text });
  first.close();
});

test('4408: nobody touched the console for the time allowed', async () => {
  await start();
  const client = await rig.open({
    limits: { sessionSeconds: 60, idleSeconds: 1, perUser: 9, perMachine: 9 },
  });
  await client.rfb();
  await expectClose(client, 'idle');
});

test('4410: the session is over after its time, however busy', async () => {
  await start();
  const client = await rig.open({
    limits: { sessionSeconds: 1, idleSeconds: 60, perUser: 9, perMachine: 9 },
  });
  const rfb = await client.rfb();
  rfb.type('busy');
  await expectClose(client, 'time_limit');
});

test.each([
  ['ended_by_operator', { kind: 'session', ref: 'session-1' }],
  ['ended_by_operator', { kind: 'user', ref: 'student' }],
  ['ended_by_operator', { kind: 'machine', ref: 'lab/100' }],
  ['signed_out', { kind: 'login', ref: 'login-1' }],
] as const)('4423: %s ends the consoles of a %s, and no others', async (cause, target) => {
  await start();
  const client = await rig.open({ sessionId: 'session-1' });
  await client.rfb();
  const other = await rig.open({
    sessionId: 'session-2',
    loginRef: 'login-2',
    user: { id: 'other', name: 'Other', groups: [] },
  });
  await other.rfb();
  const signals = createConsoleSignals({
    bus: rig.store.signals,
    keys: () => [grantKey],
    random: systemRandom,
    clock: systemClock,
  });
  await signals.publish({ type: 'terminate', target, cause, at: systemClock.now() });
  expect(await client.closed).toEqual({ code: 4423, reason: errorKinds[cause].text });
  if (target.kind !== 'machine') expect(other.socket.readyState).toBe(other.socket.OPEN);
  other.socket.terminate();
});

test('1013: the store is away', async () => {
  const store = createMemoryStore({ clock: systemClock });
  await start({ store });
  const token = await rig.mint();
  await store.stop();
  expect(await rig.connect({ token }).closed).toEqual({
    code: 1013,
    reason: errorKinds.store_unavailable.text,
  });
});

test('1012: a relay that leaves tells every viewer to come back, and takes nobody new', async () => {
  await start();
  const client = await rig.open();
  await client.rfb();
  const token = await rig.mint();
  const stopped = Promise.all(rig.relay.components.map(async (part) => part.stop?.()));
  await expectClose(client, 'draining');
  await stopped;
  expect(await rig.relay.readiness()).toEqual(['draining']);
  await rig.connect({ token }).closed;
  expect(await rig.metrics()).toContain('porthole_relay_upgrades_refused_total{reason="draining"} 1');
});

test.each<[string, Buffer, CloseName]>([
  ['an unknown message', Buffer.from([77, 0, 0, 0]), 'protocol'],
  ['a clipboard of two megabytes', Buffer.from([6, 0, 0, 0, 0, 32, 0, 0]), 'too_big'],
  ['more encodings than there are', Buffer.from([2, 0, 255, 255]), 'too_big'],
])('1002 and 1009: a viewer that sends %s is sent away', async (_what, bytes, close) => {
  await start();
  const client = await rig.open();
  const rfb = await client.rfb();
  rfb.send(bytes);
  expect((await client.closed).code).toBe(closeCodes[close].code);
  await eventually('nothing is left at Proxmox', () => rig.proxmox.openConsoles() === 0);
});

test('a viewer that leaves while its console is being opened leaves nothing behind', async () => {
  await start();
  rig.proxmox.stallConsole(100);
  const client = await rig.open();
  await eventually('it dials', () => client.messages.some(({ type }) => type === 'opening'));
  client.socket.terminate();
  rig.proxmox.stallConsole(100, false);
  const next = await rig.open();
  await next.rfb();
  expect(await rig.metrics()).toContain('porthole_relay_closes_total{close="by_viewer"} 1');
  next.close();
});

test('a viewer that does not answer the close is cut off', async () => {
  await start();
  const client = await rig.open();
  await client.rfb();
  client.socket.pause(); // it reads nothing any more, so it never answers
  await rig.guest.stop();
  // Who doesn't read learns of it by writing.
  await eventually('the socket is gone', () => {
    if (client.socket.readyState === client.socket.OPEN) client.socket.ping();
    return client.socket.readyState !== client.socket.OPEN;
  });
});

test('a machine whose screen closes a moment before Proxmox knows that it stopped is not called lost', async () => {
  await start();
  const client = await rig.open();
  await client.rfb();
  const status = `{"data":{"status":"running","vmid":100}}`;
  rig.proxmox.failRequests(/status\/current/, { body: status, times: 1 });
  await rig.guest.stop();
  await expectClose(client, 'machine_ended');
});
