import { createTermproxyQueue } from './termproxy-queue.ts';
import type { RudeClient } from './rude-client.ts';
import { startCluster, type Cluster } from './test-kit.ts';
import { until } from './watched-clock.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const container = '/nodes/pve2/lxc/200';
const prompt = 'root@beta:~# ';

async function openTerminal(path = container, line?: string): Promise<RudeClient> {
  const node = path === container ? 'pve2' : 'pve1';
  const { json } = await cluster.call('POST', `${path}/termproxy`, { node });
  const { port, ticket, user } = json.data;
  const client = await cluster.upgrade({ path, node, port, ticket });
  await client.head();
  client.sendFrame(2, `${line ?? `${user}:${ticket}`}\n`);
  return client;
}

const type = (client: RudeClient, text: string) =>
  client.sendFrame(2, `0:${Buffer.byteLength(text)}:${text}`);

test('termproxy gives a bare ticket and neither password nor certificate', async () => {
  cluster = await startCluster();
  const { json } = await cluster.call('POST', `${container}/termproxy`, { node: 'pve2' });
  expect(Object.keys(json.data).sort()).toEqual(['port', 'ticket', 'upid', 'user']);
  expect(json.data.ticket).toMatch(/^PVEVNC:/);
});

test('the right line is answered with OK and the prompt glued to it', async () => {
  cluster = await startCluster();
  const client = await openTerminal();
  await client.untilOutput(prompt);
  expect(client.output()).toBe(`OK${prompt}`);
});

test('keys are echoed, commands run, backspace erases, sizes are taken over', async () => {
  cluster = await startCluster();
  const client = await openTerminal();
  type(client, 'echo grünx\x7f kuh\r');
  await client.untilOutput(Buffer.from('\r\ngrün kuh\r\n').toString('latin1'));
  client.sendFrame(2, '1:132:43:2');
  type(client, 'stty size\r');
  await client.untilOutput('\r\n43 132\r\n');
  type(client, 'nosuch\r');
  await client.untilOutput('-bash: nosuch: command not found\r\n');
  type(client, 'date\r');
  await client.untilOutput('Mon, 23 Nov 2026 12:00:00 GMT');
});

test('data may be cut anywhere, also in the middle of a character', async () => {
  cluster = await startCluster();
  const client = await openTerminal();
  await client.untilOutput(prompt);
  const message = Buffer.from('0:10:echo grün');
  for (const piece of [message.subarray(0, 13), message.subarray(13, 14), message.subarray(14)])
    client.sendFrame(2, piece);
  await client.untilOutput(Buffer.from('echo grün').toString('latin1'));
});

test('a message whose head is cut in two is lost, and its data are read as messages', async () => {
  cluster = await startCluster();
  const client = await openTerminal();
  await client.untilOutput(prompt);
  client.sendFrame(2, '0:12');
  client.sendFrame(2, ':lost0:4:kept');
  await client.untilOutput('kept');
  expect(client.output()).toBe(`OK${prompt}kept`);
});

test('so it is when the head lies at the end of a full buffer', () => {
  const typed: string[] = [];
  const queue = createTermproxyQueue({ input: (bytes) => typed.push(bytes.toString()), resize() {} });
  const long = 'x'.repeat(4096 - 9);
  queue.push(Buffer.from(`0:4087:${long}0:3:abc`));
  expect(typed.join('')).toBe(long);
});

test('a container’s dtach passes 16 KiB on, and stops at 64 KiB, for all of its terminals until it is killed', async () => {
  cluster = await startCluster();
  const client = await openTerminal();
  await client.untilOutput(prompt);
  type(client, `${'x'.repeat(16 * 1024)}end`);
  await client.untilOutput('xend');
  type(client, `${'y'.repeat(64 * 1024)}end`);
  const other = await openTerminal();
  await other.untilOutput('OK');
  type(other, 'echo anybody\r');
  // The answer to a ping comes behind all output that was written before.
  for (const each of [client, other]) {
    each.sendFrame(9, 'ping');
    await until(() => each.frames().some(({ first }) => first === 0x8a));
  }
  expect(client.output()).not.toContain('yend');
  expect(other.output()).toBe('OK');
  cluster.fake.killDtach(200);
  const again = await openTerminal();
  await again.untilOutput(prompt);
});

test('exit ends the session without a close frame', async () => {
  cluster = await startCluster();
  const client = await openTerminal();
  type(client, 'exit\r');
  await client.untilEnded();
  expect(client.output()).toMatch(/logout\r\n$/);
});

test('a wrong ticket ends the connection at once when hardened', async () => {
  cluster = await startCluster();
  const client = await openTerminal(container, 'gw@pve!console:PVEVNC:00000000::AAAA');
  await client.untilEnded();
  expect(client.frames()).toEqual([]);
});

test('a wrong ticket ends the connection after three seconds when old, and so does any token', async () => {
  cluster = await startCluster({ mode: 'old' });
  const client = await openTerminal();
  await cluster.clock.untilSomethingWaits(3000);
  expect(client.ended).toBe(false);
  cluster.clock.advance(3000);
  await client.untilEnded();
  expect(client.frames()).toEqual([]);
});

test('the first line must come within ten seconds', async () => {
  cluster = await startCluster();
  const { json } = await cluster.call('POST', `${container}/termproxy`, { node: 'pve2' });
  const client = await cluster.upgrade({ path: container, node: 'pve2', ...json.data });
  await client.head();
  await until(() => cluster.fake.openConsoles(200) === 1);
  cluster.clock.advance(10_000);
  await client.untilEnded();
});

test('a virtual machine without a serial port says so and ends', async () => {
  cluster = await startCluster();
  const client = await openTerminal('/nodes/pve1/qemu/100');
  await client.untilEnded();
  expect(client.output()).toBe('OKunable to find a serial interface\r\n');
});

test('a guest that powers off ends its terminal', async () => {
  cluster = await startCluster();
  const client = await openTerminal();
  await client.untilOutput(prompt);
  await cluster.guest.stop();
  await client.untilEnded();
});

test('the login of a node’s shell ends after a minute', async () => {
  cluster = await startCluster();
  cluster.fake.setAcl('gw@pve', { '/nodes': ['Sys.Console'] });
  const client = await openTerminal('/nodes/pve1');
  await client.untilOutput('pve1 login: ');
  cluster.clock.advance(60_000);
  await client.untilEnded();
  expect(client.output()).toMatch(/Login timed out after 60 seconds\.\r\n$/);
});
