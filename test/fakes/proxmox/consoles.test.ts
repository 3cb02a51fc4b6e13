import { startCluster, type Cluster, type RudeClient } from './test-kit.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

/** A whole opening: vncproxy and the upgrade, both at the same node. */
async function openConsole(path = '/nodes/pve1/qemu/100', node?: string): Promise<RudeClient> {
  const where = node === undefined ? {} : { node };
  const { port, ticket } = await cluster.vncproxy(path, where);
  const client = await cluster.upgrade({ path, port, ticket, ...where });
  await client.head();
  return client;
}

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
