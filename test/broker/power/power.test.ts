import { constantSecret } from '@porthole/shared/config/secret';
import { systemClock, type Clock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import type { Answer, Browser } from '../browser.ts';
import { aCluster, aUser, brokerToken, closeBrokers, someGuests, startBroker, usersFile } from '../rig.ts';

afterEach(closeBrokers);

const path = (vmid: number, cluster = 'school') => `/api/v1/consoles/${cluster}/${vmid}/power`;

async function aSchool(vmPrivileges: readonly string[] = ['VM.PowerMgmt'], clock: Clock = systemClock) {
  const fake = await aCluster(someGuests, vmPrivileges);
  const rig = await startBroker({
    clock,
    proxmox: [{ name: 'school', fake }],
    users: constantSecret(usersFile(aUser('anna'), aUser('ben'))),
    config: {
      access: [
        { who: { users: ['anna'] }, which: { all: true }, allow: ['control', 'power'] },
        { who: { users: ['ben'] }, which: { names: ['lab-*'] }, allow: ['control'] },
      ],
    },
  });
  return { fake, rig, anna: await rig.signedIn('anna') };
}

/** Starts an action, and polls its task until it ends. */
async function through(browser: Browser, vmid: number, action: string): Promise<Answer['json']> {
  const begun = await browser.post(path(vmid), { action });
  expect(begun.status).toBe(202);
  let seen: Answer | undefined;
  await eventually('the task ends', async () => {
    seen = await browser.get(`${path(vmid)}/${begun.json.task}`);
    return seen.json.state !== 'running';
  });
  return seen?.json;
}

test('all actions start a task, whose state can be polled', async () => {
  const { fake, anna, rig } = await aSchool();
  expect(await through(anna, 110, 'start')).toEqual({ state: 'done' });
  for (const action of ['reboot', 'reset', 'shutdown', 'start', 'stop'])
    expect(await through(anna, 110, action)).toEqual({ state: 'done' });
  expect(await through(anna, 200, 'shutdown')).toEqual({ state: 'done' });
  const posts = fake.calls.filter(({ method, path: at }) => method === 'POST' && at.includes('/status/'));
  expect(posts.map(({ path: at }) => at.replace('/api2/json', ''))).toEqual([
    ...['start', 'reboot', 'reset', 'shutdown', 'start', 'stop'].map(
      (action) => `/nodes/pve1/qemu/110/status/${action}`,
    ),
    '/nodes/pve2/lxc/200/status/shutdown',
  ]);
  expect(rig.audited).toContainEqual(
    expect.objectContaining({
      event: 'power',
      by: { id: 'local:anna', name: 'anna' },
      machine: { cluster: 'school', vmid: 110, name: 'lab-10', node: 'pve1', type: 'qemu' },
      action: 'start',
      task: expect.stringMatching(/^UPID:pve1:.*:qmstart:110:/),
    }),
  );
  expect(await rig.registry.metrics()).toContain(
    'porthole_broker_power_actions_total{action="start",result="ok"} 2',
  );
});

test('a failed task has our error, and only the log has the message of Proxmox', async () => {
  const { fake, anna, rig } = await aSchool();
  expect(await through(anna, 101, 'start')).toMatchObject({ state: 'failed', code: 'machine_running' });
  expect(await through(anna, 110, 'shutdown')).toMatchObject({ state: 'failed', code: 'machine_stopped' });
  fake.makeStubborn(101);
  expect(await through(anna, 101, 'shutdown')).toMatchObject({ state: 'failed', code: 'power_timeout' });
  fake.lock(101, 'backup');
  const locked = await through(anna, 101, 'stop');
  expect(locked).toMatchObject({ state: 'failed', code: 'machine_locked', requestId: expect.any(String) });
  expect(JSON.stringify(locked)).not.toContain('backup)');
  expect(rig.log.join('')).toContain('VM is locked (backup)');
});

test('power on of a machine that was deleted a moment ago says that the machine does not exist', async () => {
  // With a clock that stands still, the list of machines does not get old.
  const { fake, anna } = await aSchool(['VM.PowerMgmt'], createFakeClock());
  await anna.get('/api/v1/consoles');
  fake.removeGuest(110);
  const failed = await through(anna, 110, 'start');
  expect(failed).toMatchObject({ state: 'failed', code: 'machine_not_found' });
  expect(JSON.stringify(failed)).not.toContain('pve1');
});

test('a missing Proxmox permission has its own error', async () => {
  const { anna, rig } = await aSchool([]);
  const answer = await anna.post(path(101), { action: 'stop' });
  expect([answer.status, answer.json.code]).toEqual([502, 'proxmox_permission']);
  expect(rig.audited).toContainEqual(
    expect.objectContaining({ event: 'power_action_refused', action: 'stop', code: 'proxmox_permission' }),
  );
});

test('the response names neither the node nor the account', async () => {
  const { anna } = await aSchool();
  const { text } = await anna.post(path(110), { action: 'start' });
  expect(Buffer.from(JSON.parse(text).task, 'base64url').toString('latin1')).not.toMatch(/UPID|porthole@/);
});

test('the right power is required, and a machine without rights is not found', async () => {
  const { rig, fake } = await aSchool();
  const ben = await rig.signedIn('ben');
  const refused = await ben.post(path(101), { action: 'stop' });
  expect([refused.status, refused.json.code]).toEqual([403, 'not_allowed']);
  expect((await ben.post(path(200), { action: 'stop' })).status).toBe(404);
  expect((await rig.browser().post(path(101), { action: 'stop' })).status).toBe(401);
  expect(fake.calls.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('a task token works only for its user and machine', async () => {
  const { rig, anna } = await aSchool();
  const { json } = await anna.post(path(110), { action: 'start' });
  expect((await anna.get(`${path(101)}/${json.task}`)).status).toBe(404);
  expect((await anna.get(`${path(110)}/UPID:pve1:0:0:0:qmstart:110:root@pam:`)).status).toBe(404);
  expect((await (await rig.signedIn('ben')).get(`${path(110)}/${json.task}`)).status).toBe(404);
});

test.each([
  ['another action', 101, { action: 'explode' }, 400],
  ['no action', 101, {}, 400],
  ['more than an action', 101, { action: 'stop', force: true }, 400],
  ['a container to be reset', 200, { action: 'reset' }, 400],
  ['a machine that is not there', 999, { action: 'stop' }, 404],
  ['a template', 900, { action: 'start' }, 404],
])('%s is refused', async (_what, vmid, body, status) => {
  const { anna, fake } = await aSchool();
  expect((await anna.post(path(vmid), body)).status).toBe(status);
  expect(fake.calls.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('an action uses another entry point if the first is unreachable', async () => {
  const fake = await aCluster(someGuests, ['VM.PowerMgmt']);
  const rig = await startBroker({
    config: {
      clusters: [
        {
          name: 'school',
          urls: [fake.url('pve2'), fake.url('pve1')],
          credential: { token: brokerToken.tokenid, secret: constantSecret(brokerToken.secret) },
          tls: { caFile: constantSecret(fake.caPem) },
        },
      ],
      access: [{ who: { everyone: true }, which: { all: true }, allow: ['power'] }],
    },
  });
  await fake.setNodeDown('pve2', true);
  expect(await through(await rig.signedIn('anna'), 110, 'start')).toEqual({ state: 'done' });
});
