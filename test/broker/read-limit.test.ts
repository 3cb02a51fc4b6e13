import { createFakeClock } from '../fakes/clock.ts';
import { aCluster, closeBrokers, startBroker } from './rig.ts';

afterEach(closeBrokers);

test('“one user’s script made all lists slow”: a user who reads too often gets 429, and others do not', async () => {
  const clock = createFakeClock();
  const rig = await startBroker({ clock, proxmox: [{ name: 'lab', fake: await aCluster() }] });
  const anna = await rig.signedIn('anna');
  const ben = await rig.signedIn('ben');
  const paths = ['/consoles', '/sessions', '/me', '/me/logins'];
  const read = async (browser: typeof anna, times: number) => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < times; i++) {
      const { status } = await browser.get(`/api/v1${paths[i % paths.length]}`);
      counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  };
  expect(await read(anna, 604)).toEqual({ 200: 600, 429: 4 });
  const refused = await anna.get('/api/v1/consoles');
  expect(refused.json.code).toBe('rate_limited');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(await read(ben, 4)).toEqual({ 200: 4 });
  // What changes something has limits of its own.
  expect((await anna.post('/api/v1/consoles/lab/101/grants', { mode: 'view' })).status).not.toBe(429);
  clock.advance(60_000);
  expect(await read(anna, 4)).toEqual({ 200: 4 });
});
