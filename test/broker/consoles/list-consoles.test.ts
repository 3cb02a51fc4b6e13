import { createFakeClock } from '../../fakes/clock.ts';
import { aCluster, closeBrokers, someGuests, startBroker } from '../rig.ts';

afterEach(closeBrokers);

test('the list has the machines that rules match, sorted by name, without templates', async () => {
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

test('numbers in names are sorted as numbers', async () => {
  const fake = await aCluster(
    ['lab-10', 'Lab-9', 'lab-1'].map((name, i) => ({ vmid: 100 + i, node: 'pve1', name })),
  );
  const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
  const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
  expect(json.consoles.map(({ name }: { name: string }) => name)).toEqual(['lab-1', 'Lab-9', 'lab-10']);
});

test('a hundred concurrent requests cost Proxmox one call', async () => {
  const fake = await aCluster();
  const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
  const anna = await rig.signedIn('anna');
  const answers = await Promise.all(Array.from({ length: 100 }, () => anna.get('/api/v1/consoles')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(fake.calls.filter(({ path }) => path.includes('/cluster/resources'))).toHaveLength(1);
});

/** A broker in front of the clusters `school` and `office`, of which the second has one machine. */
async function aSchoolAndAnOffice() {
  const clock = createFakeClock();
  const school = await aCluster();
  const office = await aCluster([{ vmid: 300, node: 'pve1', name: 'accounts' }]);
  const rig = await startBroker({
    clock,
    proxmox: [
      { name: 'school', fake: school },
      { name: 'office', fake: office },
    ],
  });
  return { clock, school, office, rig };
}

test('while one cluster is unavailable its last list is stale, and the others are current', async () => {
  const { clock, school, office, rig } = await aSchoolAndAnOffice();
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

test('without any answer of a cluster the list is incomplete, and has no age', async () => {
  const { clock, school, rig } = await aSchoolAndAnOffice();
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

test('without any answer of all clusters the error names the failed hop', async () => {
  const rig = await startBroker();
  const answer = await (await rig.signedIn('anna')).get('/api/v1/consoles');
  expect(answer.status).toBe(504);
  expect(answer.json.code).toBe('proxmox_unreachable');
  expect(answer.text).not.toContain('127.0.0.1');
});

test('a failed list request is logged once, and so is the next success', async () => {
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
  const logged = rig.log
    .map((line) => JSON.parse(line).msg)
    .filter((msg: string) => msg.includes('list the machines'));
  expect(logged).toEqual([
    'cannot list the machines of a cluster',
    'can list the machines of a cluster again',
  ]);
});

test('the list requires a sign-in', async () => {
  const rig = await startBroker();
  expect((await rig.browser().get('/api/v1/consoles')).json.code).toBe('not_signed_in');
});

test('a user with rights on all machines sees every guest except templates', async () => {
  const fake = await aCluster();
  const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
  const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
  expect(json.consoles).toHaveLength(someGuests.filter(({ template }) => !template).length);
});
