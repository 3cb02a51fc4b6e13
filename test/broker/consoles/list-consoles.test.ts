import { createMachineList } from '@porthole/broker/machines/machine-list';
import { PortholeError } from '@porthole/shared/errors';
import type { Machine } from '@porthole/broker/machines/machine';
import { createFakeClock } from '../../fakes/clock.ts';
import { aCluster, closeBrokers, someGuests, startBroker } from '../rig.ts';

afterEach(closeBrokers);

test('the list shows the machines that rules name, sorted by name, and no template', async () => {
  const fake = await aCluster();
  const rig = await startBroker({
    proxmox: [{ name: 'school', fake }],
    config: {
      access: [
        { who: { everyone: true }, which: { tags: ['lab'] }, allow: ['view'] },
        { who: { users: ['anna'] }, which: { names: ['lab-{user}', 'golden'] }, allow: ['control'] },
        { who: { groups: ['class-a'] }, which: { vmids: ['110-119'] }, allow: ['view'] },
      ],
    },
  });
  const answer = await (await rig.signedIn('anna')).get('/api/v1/consoles');
  expect(answer.json).toEqual({
    consoles: [
      {
        cluster: 'school',
        node: 'pve1',
        type: 'qemu',
        vmid: 110,
        name: 'lab-10',
        status: 'stopped',
        tags: [],
        allow: ['view'],
        kinds: ['screen'],
      },
      {
        cluster: 'school',
        node: 'pve1',
        type: 'qemu',
        vmid: 101,
        name: 'lab-anna',
        status: 'running',
        tags: ['lab', 'linux'],
        pool: 'class-a',
        allow: ['view', 'control'],
        kinds: ['screen'],
      },
      {
        cluster: 'school',
        node: 'pve2',
        type: 'qemu',
        vmid: 102,
        name: 'lab-ben',
        status: 'running',
        tags: ['lab'],
        allow: ['view'],
        kinds: ['screen'],
      },
    ],
  });
  expect(answer.headers['cache-control']).toBe('no-store');
  const ben = await (await rig.signedIn('ben')).get('/api/v1/consoles');
  expect(ben.json.consoles.map(({ vmid }: { vmid: number }) => vmid)).toEqual([101, 102]);
});

test('numbers in names sort as numbers', async () => {
  const fake = await aCluster(
    ['lab-10', 'Lab-9', 'lab-1'].map((name, i) => ({ vmid: 100 + i, node: 'pve1', name })),
  );
  const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
  const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
  expect(json.consoles.map(({ name }: { name: string }) => name)).toEqual(['lab-1', 'Lab-9', 'lab-10']);
});

test('a hundred people who look at the same time cost Proxmox one call', async () => {
  const fake = await aCluster();
  const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
  const anna = await rig.signedIn('anna');
  const answers = await Promise.all(Array.from({ length: 100 }, () => anna.get('/api/v1/consoles')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(fake.calls.filter(({ path }) => path.includes('/cluster/resources'))).toHaveLength(1);
});

test('while one cluster is away its last list is shown as stale, and the others are unaffected', async () => {
  const clock = createFakeClock();
  const [school, office] = [
    await aCluster(),
    await aCluster([{ vmid: 300, node: 'pve1', name: 'accounts' }]),
  ];
  const rig = await startBroker({
    clock,
    proxmox: [
      { name: 'school', fake: school },
      { name: 'office', fake: office },
    ],
  });
  const anna = await rig.signedIn('anna');
  expect((await anna.get('/api/v1/consoles')).json.stale).toBeUndefined();
  school.failRequests(/resources/, { status: 500, message: 'no quorum' });
  office.rename(300, 'books');
  clock.advance(3000);
  const { json } = await anna.get('/api/v1/consoles');
  expect(json).toMatchObject({ stale: true, staleSeconds: 3 });
  expect(json.incomplete).toBeUndefined();
  expect(json.consoles.map(({ name }: { name: string }) => name)).toEqual([
    'books',
    'lab-10',
    'lab-anna',
    'lab-ben',
    'teacher',
  ]);
  school.failRequests(/resources/, null);
  clock.advance(3000);
  const { stale, staleSeconds } = (await anna.get('/api/v1/consoles')).json;
  expect([stale, staleSeconds]).toEqual([undefined, undefined]);
});

test('a cluster that never answered leaves the list incomplete, and how old it is says nothing then', async () => {
  const clock = createFakeClock();
  const [school, office] = [
    await aCluster(),
    await aCluster([{ vmid: 300, node: 'pve1', name: 'accounts' }]),
  ];
  const rig = await startBroker({
    clock,
    proxmox: [
      { name: 'school', fake: school },
      { name: 'office', fake: office },
    ],
  });
  school.failRequests(/resources/, { status: 500, message: 'no quorum' });
  const anna = await rig.signedIn('anna');
  const { json } = await anna.get('/api/v1/consoles');
  expect(json).toMatchObject({ stale: true, incomplete: true });
  expect(json.staleSeconds).toBeUndefined();
  expect(json.consoles.map(({ name }: { name: string }) => name)).toEqual(['accounts']);
  school.failRequests(/resources/, null);
  clock.advance(3000);
  expect((await anna.get('/api/v1/consoles')).json).toMatchObject({ consoles: { length: 5 } });
});

test('when no cluster ever answered, the answer says which hop failed', async () => {
  const rig = await startBroker();
  const answer = await (await rig.signedIn('anna')).get('/api/v1/consoles');
  expect(answer.status).toBe(504);
  expect(answer.json.code).toBe('proxmox_unreachable');
  expect(answer.text).not.toContain('127.0.0.1');
});

test('that Proxmox is away is logged once, and so is that it is back', async () => {
  const clock = createFakeClock();
  const fake = await aCluster();
  const rig = await startBroker({ clock, proxmox: [{ name: 'school', fake }] });
  const anna = await rig.signedIn('anna');
  fake.failRequests(/resources/, { status: 500, message: 'no quorum' });
  for (let i = 0; i < 3; i++) {
    await anna.get('/api/v1/consoles');
    clock.advance(3000);
  }
  fake.failRequests(/resources/, null);
  await anna.get('/api/v1/consoles');
  const news = rig.log.map((line) => JSON.parse(line).msg).filter((msg: string) => msg.startsWith('Proxmox'));
  expect(news).toEqual([
    'Proxmox does not give its list of machines',
    'Proxmox gives its list of machines again',
  ]);
});

test('the list is for those who signed in', async () => {
  const rig = await startBroker();
  expect((await rig.browser().get('/api/v1/consoles')).json.code).toBe('not_signed_in');
});

describe('the list of a cluster', () => {
  const one: Machine = {
    cluster: 'school',
    node: 'pve1',
    type: 'qemu',
    vmid: 101,
    name: 'lab-anna',
    status: 'running',
    tags: [],
    pool: undefined,
  };

  function aList(answers: () => Promise<readonly Machine[]>) {
    const clock = createFakeClock();
    const refreshes: (string | undefined)[] = [];
    let calls = 0;
    const list = createMachineList({
      clock,
      listMachines: () => {
        calls++;
        return answers();
      },
      onRefresh: (error) => refreshes.push(error?.code),
    });
    return { clock, list, refreshes, calls: () => calls };
  }
  const away = () => Promise.reject(new PortholeError('proxmox_unreachable'));

  test('is asked for again after three seconds, and only when somebody looks', async () => {
    const { clock, list, calls } = aList(async () => [one]);
    await list.latest();
    clock.advance(2999);
    await list.latest();
    expect(calls()).toBe(1);
    clock.advance(1);
    await list.latest();
    expect(calls()).toBe(2);
    clock.advance(3_600_000);
    expect(calls()).toBe(2);
    expect(clock.pending()).toBe(0);
  });

  test('is not asked for again right after it failed', async () => {
    const { clock, list, calls, refreshes } = aList(away);
    for (let i = 0; i < 10; i++)
      await expect(list.latest()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(calls()).toBe(1);
    clock.advance(3000);
    await expect(list.fresh()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(refreshes).toEqual(['proxmox_unreachable', 'proxmox_unreachable']);
  });

  test('is stale for ten minutes and then no more', async () => {
    let answer: () => Promise<readonly Machine[]> = async () => [one];
    const { clock, list } = aList(() => answer());
    await list.latest();
    answer = away;
    clock.advance(10 * 60_000 - 1);
    expect(await list.latest()).toEqual({ machines: [one], stale: true });
    clock.advance(3000);
    await expect(list.latest()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('is good enough to look at when stale, but not to decide by', async () => {
    let answer: () => Promise<readonly Machine[]> = async () => [one];
    const { clock, list } = aList(() => answer());
    await list.latest();
    answer = away;
    clock.advance(3000);
    expect((await list.latest()).stale).toBe(true);
    await expect(list.fresh()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('does not keep people waiting for a Proxmox that does not answer while there is an old one', async () => {
    let answer: () => Promise<readonly Machine[]> = async () => [one];
    const { clock, list, calls } = aList(() => answer());
    await list.latest();
    const slow = Promise.withResolvers<readonly Machine[]>();
    answer = () => slow.promise;
    clock.advance(3000);
    const looks = [list.latest(), list.latest()];
    clock.advance(2000);
    expect(await Promise.all(looks)).toEqual([
      { machines: [one], stale: true },
      { machines: [one], stale: true },
    ]);
    expect(calls()).toBe(2);
    slow.resolve([]);
    expect(await list.fresh()).toEqual([]);
  });

  test('knows its age', async () => {
    const { clock, list } = aList(async () => [one]);
    expect(list.ageSeconds()).toBeUndefined();
    await list.latest();
    clock.advance(42_000);
    expect(list.ageSeconds()).toBe(42);
  });
});

test('every guest of the simulated cluster but the template is in the list of who may see all', async () => {
  const fake = await aCluster();
  const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
  const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
  expect(json.consoles).toHaveLength(someGuests.filter(({ template }) => !template).length);
});
