import { accessClass } from '@porthole/shared/config/access-schema';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';
import { aCluster, closeBrokers, startBroker, type Rig, type RigOptions } from '../rig.ts';
import { aClass } from './timetable-world.ts';

afterEach(closeBrokers);

test('three brokers start the machines of a class once, and shut them down once after the lesson', async () => {
  const clock = createFakeClock(Date.parse('2026-01-07T06:49:00Z'));
  const store = createMemoryStore({ clock });
  await store.start();
  const vmids = [101, 102, 103, 104];
  const fake = await aCluster(
    vmids.map((vmid) => ({
      vmid,
      node: `pve${1 + (vmid % 2)}`,
      name: `lab-${vmid}`,
      tags: ['lab'],
      running: false,
    })),
    ['VM.PowerMgmt'],
  );
  const options: RigOptions = {
    clock,
    store,
    proxmox: [{ name: 'school', fake }],
    config: { classes: [accessClass.parse(aClass())] },
  };
  const brokers: Rig[] = [];
  for (let index = 0; index < 3; index++) brokers.push(await startBroker(options));
  const audited = (action: string) =>
    brokers
      .flatMap((each) => each.audited)
      .flatMap((each) =>
        each.event === 'timetable_power' && each.action === action ? each.machine.vmid : [],
      )
      .toSorted((a, b) => a - b);
  const posts = (action: string) =>
    fake.calls.filter(({ method, path }) => method === 'POST' && path.endsWith(`/status/${action}`)).length;
  await eventually('all machines have been started', () => {
    clock.advance(1000);
    expect(audited('start')).toEqual(vmids);
  });
  const leaders = await Promise.all(
    brokers.map(async ({ registry }) =>
      /^porthole_broker_timetable_leader 1$/m.test(await registry.metrics()),
    ),
  );
  expect(leaders.filter(Boolean)).toHaveLength(1);
  const counted = await Promise.all(
    brokers.map(({ registry }) =>
      registry.getSingleMetricAsString('porthole_broker_timetable_actions_total'),
    ),
  );
  expect(counted.join('\n')).toMatch(/action="start",result="ok"\} 4/);
  clock.advance(Date.parse('2026-01-07T09:01:00Z') - clock.now());
  await eventually('all machines have been shut down', () => {
    clock.advance(1000);
    expect(audited('shutdown')).toEqual(vmids);
  });
  expect([posts('start'), posts('shutdown')]).toEqual([4, 4]);
});
