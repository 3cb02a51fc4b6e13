import type { RudeClient } from './rude-client.ts';
import { createStubGuest } from './stub-guest.ts';
import { startCluster, type Cluster } from './test-kit.ts';
import { until } from './watched-clock.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const vm = '/nodes/pve1/qemu/100';
const container = '/nodes/pve2/lxc/200';

/** A whole opening: vncproxy and the upgrade, both at the same node. */
async function openConsole(path = vm, node?: string): Promise<RudeClient> {
  const where = node === undefined ? {} : { node };
  const { port, ticket } = await cluster.vncproxy(path, where);
  const client = await cluster.upgrade({ path, port, ticket, ...where });
  await client.head();
  return client;
}

/** Waits for a round trip, after which earlier events are processed. */
const roundTrip = () => cluster.call('GET', '/version', { node: 'pve2' });

test('a console opens and carries bytes both ways', async () => {
  cluster = await startCluster();
  const client = await openConsole();
  expect(await client.head()).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
  await client.untilOutput('RFB 003.008\n');
  client.sendFrame(2, 'hello');
  await client.untilOutput('hello');
  expect(cluster.guest.received()).toBe('hello');
  expect(cluster.fake.openConsoles(100)).toBe(1);
  expect(cluster.fake.calls.map(({ status }) => status)).toEqual([200, 101]);
});

test('the first byte comes only when qm has started, and so does the password', async () => {
  cluster = await startCluster({ qmStartMs: 2000 });
  const client = await openConsole();
  client.sendFrame(2, 'early');
  await cluster.clock.untilSomethingWaits(2000);
  expect(client.frames()).toEqual([]);
  expect(cluster.guest.passwords).toEqual([]);
  cluster.clock.advance(2000);
  await client.untilOutput('RFB 003.008\nearly');
});

test('of two overlapping openings, the later one sets the valid password', async () => {
  cluster = await startCluster();
  const first = await cluster.vncproxy();
  const second = await cluster.vncproxy();
  expect(first.password).not.toBe(second.password);
  await (await cluster.upgrade(second)).untilOutput('RFB');
  await (await cluster.upgrade(first)).untilOutput('RFB');
  expect(cluster.guest.passwords).toEqual([second.password, first.password]);
});

test.each([
  ['ev', 'the request hangs for ever and the other consoles live on'],
  ['perl', 'the worker ends after five seconds and takes its other connections along'],
] as const)('a port takes one client; for the next, with the %s loop, %s', async (eventLoop, _outcome) => {
  cluster = await startCluster({ eventLoop, pveproxyWorkers: 1 });
  const { port, ticket } = await cluster.vncproxy();
  const first = await cluster.upgrade({ port, ticket });
  await first.untilOutput('RFB');
  const again = await cluster.upgrade({ port, ticket });
  await until(() => cluster.fake.calls.at(-1)?.status === 0);
  if (eventLoop === 'perl') {
    await cluster.clock.untilSomethingWaits(5000);
    cluster.clock.advance(5000);
    await Promise.all([first.untilEnded(), again.untilEnded()]);
    expect(cluster.fake.openConsoles()).toBe(0);
  } else {
    cluster.clock.advance(600_000);
    first.sendFrame(2, 'alive');
    await first.untilOutput('alive');
    expect(again.ended).toBe(false);
  }
  expect(again.bytes()).toHaveLength(0);
});

test('a dead worker does not affect the consoles of other workers', async () => {
  cluster = await startCluster({ pveproxyWorkers: 2 });
  const consoles = [await openConsole(), await openConsole()]; // connections alternate: vncproxy, console, ...
  const other = await openConsole(container, 'pve2');
  cluster.fake.killWorker('pve1');
  await Promise.all(consoles.map((client) => client.untilEnded()));
  expect(other.ended).toBe(false);
});

test('a port waits ten seconds for its client', async () => {
  cluster = await startCluster();
  const inTime = await cluster.vncproxy();
  cluster.clock.advance(9999);
  const client = await cluster.upgrade(inTime);
  await client.untilOutput('RFB');
  const late = await cluster.vncproxy();
  cluster.clock.advance(10_000);
  const refused = await cluster.upgrade(late);
  await until(() => cluster.fake.calls.at(-1)?.status === 0);
  expect(refused.bytes()).toHaveLength(0);
});

test('the port is on the node that took the vncproxy call and on no other', async () => {
  cluster = await startCluster();
  const { port, ticket } = await cluster.vncproxy(vm, { node: 'pve2' });
  const wrong = await cluster.upgrade({ port, ticket, node: 'pve1' });
  await until(() => cluster.fake.calls.at(-1)?.status === 0);
  expect(wrong.bytes()).toHaveLength(0);
  const right = await cluster.upgrade({ port, ticket, node: 'pve2' });
  await right.untilOutput('RFB'); // by ssh to the guest's node
});

test('a console by ssh to a dead node receives nothing and stays open', async () => {
  cluster = await startCluster();
  await cluster.fake.setNodeDown('pve1', true);
  const client = await openConsole(vm, 'pve2');
  cluster.clock.advance(60_000);
  await roundTrip();
  expect(client.frames()).toEqual([]);
  expect(client.ended).toBe(false);
});

test('a stopped guest gets a console that ends without a byte and without a close frame', async () => {
  cluster = await startCluster({ qmStartMs: 1500 });
  await cluster.guest.stop();
  const client = await openConsole();
  expect(await client.head()).toMatch(/ 101 /);
  await cluster.clock.untilSomethingWaits(1500);
  cluster.clock.advance(1500);
  await client.untilEnded();
  expect(client.frames()).toEqual([]);
});

test.each(['a QEMU that hangs', 'a guest without a display'])(
  '%s ends the console without a byte after some seconds',
  async (guest) => {
    const hangs = guest === 'a QEMU that hangs';
    cluster = await startCluster(
      hangs ? {} : { guests: [{ vmid: 100, node: 'pve1', name: 'alpha', vga: 'none' }] },
    );
    if (hangs) cluster.fake.hang(100);
    const current = await cluster.call('GET', `${vm}/status/current`);
    expect(current.json.data).toMatchObject({ status: 'running', qmpstatus: 'running' });
    expect('running-qemu' in current.json.data).toBe(!hangs);
    const client = await openConsole();
    await cluster.clock.untilSomethingWaits(5700);
    expect(client.ended).toBe(false);
    cluster.clock.advance(5700);
    await client.untilEnded();
    expect(client.frames()).toEqual([]);
  },
);

test('a stalled console receives nothing and stays open', async () => {
  cluster = await startCluster();
  cluster.fake.stallConsole(100);
  const client = await openConsole();
  cluster.clock.advance(3_600_000);
  await roundTrip();
  expect(client.frames()).toEqual([]);
  expect(client.ended).toBe(false);
});

test('a guest that powers off ends its consoles, after its last bytes, without a close frame', async () => {
  cluster = await startCluster();
  const client = await openConsole();
  await client.untilOutput('RFB');
  cluster.guest.connections[0]?.write('last bytes');
  await cluster.guest.stop();
  await client.untilEnded();
  expect(client.output()).toBe('RFB 003.008\nlast bytes');
  expect(client.frames().every(({ first }) => first === 0x82)).toBe(true);
  expect(cluster.fake.openConsoles()).toBe(0);
});

test('migration ends the consoles, and new ones open only on the other node', async () => {
  cluster = await startCluster();
  const client = await openConsole();
  await client.untilOutput('RFB');
  cluster.fake.migrate(100, 'pve2');
  await client.untilEnded();
  await expect(openConsole()).rejects.toThrow("500 Configuration file 'nodes/pve1/qemu-server/100.conf'");
  await (await openConsole('/nodes/pve2/qemu/100', 'pve2')).untilOutput('RFB');
});

test('a console of QEMU ends after fifteen minutes without a byte; pings do not count', async () => {
  cluster = await startCluster();
  const client = await openConsole();
  await client.untilOutput('RFB');
  cluster.clock.advance(899_000);
  client.sendFrame(2, 'x');
  await client.untilOutput('x');
  cluster.clock.advance(899_000);
  client.sendFrame(9, 'ping');
  await until(() => client.frames().some(({ first }) => first === 0x8a));
  cluster.clock.advance(1000);
  await client.untilEnded();
});

test('a container takes a second client on the same port, and has no idle limit', async () => {
  cluster = await startCluster();
  const { port, ticket } = await cluster.vncproxy(container, { node: 'pve2' });
  const upgrade = () => cluster.upgrade({ path: container, port, ticket, node: 'pve2' });
  const first = await upgrade();
  await first.untilOutput('RFB');
  first.sendFrame(2, 'v'.repeat(29)); // version, security type and the answer to the challenge
  await first.untilOutput('v'.repeat(29));
  const second = await upgrade();
  await second.untilOutput('RFB');
  cluster.clock.advance(3_600_000);
  await roundTrip();
  expect([first.ended, second.ended]).toEqual([false, false]);
});

test("a container's port waits twenty seconds, and ten more when its last client has left", async () => {
  cluster = await startCluster();
  const { port, ticket } = await cluster.vncproxy(container, { node: 'pve2' });
  const upgrade = () => cluster.upgrade({ path: container, port, ticket, node: 'pve2' });
  cluster.clock.advance(19_000);
  const first = await upgrade();
  await first.untilOutput('RFB');
  first.socket.destroy();
  await until(() => cluster.fake.openConsoles() === 0);
  cluster.clock.advance(9999);
  const second = await upgrade();
  await second.untilOutput('RFB');
  second.socket.destroy();
  await until(() => cluster.fake.openConsoles() === 0);
  cluster.clock.advance(10_000);
  await upgrade();
  await until(() => cluster.fake.calls.at(-1)?.status === 0);
});

test('containers that are opened at the same time have separate passwords', async () => {
  cluster = await startCluster();
  const first = await openConsole(container, 'pve2');
  const second = await openConsole(container, 'pve2');
  await first.untilOutput('RFB');
  await roundTrip();
  expect(cluster.guest.passwords).toHaveLength(1);
  first.sendFrame(2, 'v'.repeat(29));
  await second.untilOutput('RFB');
  expect(cluster.guest.passwords).toHaveLength(2);
});

test('ports run out, and come back when their reservation and their listener are over', async () => {
  cluster = await startCluster({ portRange: { from: 5900, to: 5901 } });
  expect([(await cluster.vncproxy()).port, (await cluster.vncproxy()).port]).toEqual(['5900', '5901']);
  await expect(cluster.vncproxy()).rejects.toThrow('500 unable to find free port (5900-6000)');
  cluster.clock.advance(5000);
  await expect(cluster.vncproxy()).rejects.toThrow('500 unable to find free port');
  cluster.clock.advance(5000);
  expect((await cluster.vncproxy()).port).toBe('5900');
});

test('three console openings are processed at a time, the others are queued', async () => {
  cluster = await startCluster({ vncproxyMs: 1000 });
  const all = [1, 2, 3, 4].map(() => cluster.vncproxy());
  await until(() => cluster.fake.maxVncproxyInFlight('pve1') === 4);
  const answered: number[] = [];
  all.forEach((opening, index) => void opening.then(() => answered.push(index)));
  cluster.clock.advance(1000);
  await until(() => answered.length === 3);
  await cluster.clock.untilSomethingWaits(1000);
  expect(answered).toHaveLength(3);
  cluster.clock.advance(1000);
  await Promise.all(all);
  expect(cluster.fake.maxVncproxyInFlight('pve2')).toBe(0);
});

test('consoles can be dropped by guest', async () => {
  const other = createStubGuest();
  cluster = await startCluster();
  await cluster.fake.addGuest({ vmid: 101, node: 'pve1', name: 'gamma', guest: other });
  const [first, second] = [await openConsole(), await openConsole('/nodes/pve1/qemu/101')];
  cluster.fake.dropConsoles(100);
  await first.untilEnded();
  expect(second.ended).toBe(false);
  cluster.fake.removeGuest(101);
  await second.untilEnded();
});
