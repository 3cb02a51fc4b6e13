import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { closeBrokers } from '../rig.ts';
import { aSchool, control, path } from './fixtures.ts';

afterEach(closeBrokers);

/** A broker whose circuit breaker for the only node is open. With node shells, each grant needs two calls at a time. */
async function anOutage() {
  const clock = createFakeClock();
  const { rig, fake } = await aSchool({ clock, cluster: { nodeShells: true } });
  const anna = await rig.signedIn('anna');
  await fake.setNodeDown('pve1', true);
  const aFailedGrant = async () =>
    expect((await anna.post(path(101), control)).json).toMatchObject({ code: 'proxmox_unreachable' });
  await aFailedGrant();
  clock.advance(3000); // The machine list is requested again.
  await aFailedGrant();
  const hosts = async (state: string) => {
    const text = await rig.registry.getSingleMetricAsString('porthole_broker_proxmox_hosts');
    return Number(new RegExp(`state="${state}"\\} (\\d+)`).exec(text)?.[1]);
  };
  /** Advances by one second, and awaits the probe that began. */
  const aSecond = async () => {
    clock.advance(1000);
    await eventually('no probe runs', async () => (await hosts('half_open')) === 0);
  };
  for (let second = 0; second < 30; second++) await aSecond();
  expect(await hosts('open')).toBe(1);
  return { fake, clock, anna, hosts, aSecond };
}

test('the first grant succeeds when Proxmox has been back for a minute', async () => {
  const { fake, anna, aSecond } = await anOutage();
  await fake.setNodeDown('pve1', false);
  for (let second = 0; second < 60; second++) await aSecond();
  const answers = await Promise.all([101, 200, 101].map((vmid) => anna.post(path(vmid), { mode: 'view' })));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
});

test('grants that arrive during the probe wait for it', async () => {
  const { fake, clock, anna, hosts } = await anOutage();
  await fake.setNodeDown('pve1', false);
  await eventually('a probe runs', async () => {
    clock.advance(100);
    return (await hosts('half_open')) === 1;
  });
  expect((await anna.post(path(101), control)).status).toBe(201);
});
