import { delayProfiles, parseDelayProfile } from './delay-profiles.ts';
import { startCluster, type Cluster } from './test-kit.ts';
import { until } from './watched-clock.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const realLife = delayProfiles['real-life'];

/** Opens a console at vncproxy, and returns how long that takes. */
async function openFor(): Promise<number> {
  const opening = cluster.vncproxy();
  const ms = await cluster.clock.untilSomethingWaitsBetween(1500, 3000);
  cluster.clock.advance(ms);
  await opening;
  return ms;
}

test('in real life, vncproxy takes 1.5 to 3 s, and each call its own time', async () => {
  cluster = await startCluster(realLife);
  const durations = new Set<number>();
  for (let call = 1; call <= 4; call++) durations.add(await openFor());
  expect(durations.size).toBe(4);
});

test('in real life, the first byte of a console comes 1.5 to 3 s after the connection', async () => {
  cluster = await startCluster({ ...realLife, vncproxyMs: 0 });
  const { port, ticket } = await cluster.vncproxy();
  const client = await cluster.upgrade({ port, ticket });
  await client.head();
  const ms = await cluster.clock.untilSomethingWaitsBetween(1500, 3000);
  cluster.clock.advance(ms - 1);
  await cluster.call('GET', '/version'); // a round trip, in which a byte would arrive
  expect(client.frames()).toEqual([]);
  cluster.clock.advance(1);
  await client.untilOutput('RFB');
});

test('in real life, the list shows a new status after up to ten seconds', async () => {
  cluster = await startCluster(realLife);
  const statuses = async () =>
    (await cluster.call('GET', '/cluster/resources?type=vm')).json.data.map(
      ({ status }: { status: string }) => status,
    );
  await cluster.guest.stop();
  await until(() => !cluster.guest.running);
  cluster.clock.advance(9999);
  expect(await statuses()).toEqual(['running', 'running']);
  cluster.clock.advance(1);
  expect(await statuses()).toEqual(['stopped', 'stopped']);
});

test('the same seed draws the same times', async () => {
  const times: number[] = [];
  for (let round = 1; round <= 2; round++) {
    cluster = await startCluster({ ...realLife, seed: 7 });
    times.push(await openFor());
    if (round === 1) await cluster.fake.close();
  }
  expect(times[1]).toBe(times[0]);
});

test('unknown delays are refused with the names of the known ones', async () => {
  cluster = await startCluster();
  expect(parseDelayProfile()).toBe('quick');
  expect(parseDelayProfile('real-life')).toBe('real-life');
  expect(() => parseDelayProfile('slow')).toThrow(
    'There are no delays named "slow", only quick and real-life.',
  );
});
