import { takeWallGrant } from '@porthole/shared/grant/wall-grant';
import { keys } from '../sessions/fixtures.ts';
import { closeBrokers } from '../rig.ts';
import { aClassSchool, notInstructors, config, type ClassSchool } from './fixtures.ts';

afterEach(closeBrokers);

const path = '/api/v1/classes/lab/wall';

const claimsOf = ({ rig, clock }: ClassSchool, protocols: readonly string[]) =>
  takeWallGrant(
    { records: rig.store.records, keys, clock },
    protocols[1]?.replace('porthole.grant.', '') ?? '',
  );

test('an instructor gets a grant for the wall of the class: its virtual machines, and nothing about others', async () => {
  const school = await aClassSchool();
  const { rig } = school;
  const answer = await (await rig.signedIn('ina')).post(path);
  expect(answer.status).toBe(201);
  const { url, protocols, seats, id } = answer.json;
  expect(new URL(url).pathname).toBe('/relay/v1/wall');
  expect(protocols[0]).toBe('porthole.wall.v1');
  expect(seats.map(({ vmid }: { vmid: number }) => vmid)).toEqual([101, 102, 103]);
  const claims = await claimsOf(school, protocols);
  expect(claims).toMatchObject({ sessionId: id, class: 'lab', user: { id: 'local:ina', name: 'ina' } });
  expect(claims.seats[1]).toEqual({
    seat: 1,
    cluster: 'school',
    node: 'pve2',
    type: 'qemu',
    vmid: 102,
    machineName: 'lab-ben',
  });
  expect(rig.audited.filter(({ event }) => event === 'wall_opened')).toMatchObject([
    { wall: id, by: { id: 'local:ina' }, class: 'lab', machines: 3 },
  ]);
  expect(JSON.stringify(rig.audited)).not.toContain(protocols[1]);
  // It can be used once.
  await expect(claimsOf(school, protocols)).rejects.toMatchObject({ code: 'grant_invalid' });
});

test.each<(typeof notInstructors)[number]>([
  ...notInstructors,
  ['a user who may watch all machines', 'wes', 201],
  ['a user who may watch, control and end on all machines', 'ada', 201],
])('%s: %s gets %d', async (_who, name, status) => {
  const { rig } = await aClassSchool();
  expect((await (await rig.signedIn(name)).post(path)).status).toBe(status);
  expect(rig.audited.filter(({ event }) => event === 'wall_refused')).toHaveLength(status === 403 ? 1 : 0);
});

test('a wall whose right was taken away is refused from then on', async () => {
  const { rig } = await aClassSchool({ config: { access: [], classes: [] } });
  expect((await (await rig.signedIn('ina')).post(path)).status).toBe(404);
});

test('a grant that renews a wall has its id, opens no wall, and is not recorded as one', async () => {
  const school = await aClassSchool();
  const browser = await school.rig.signedIn('ina');
  const { json } = await browser.post(path);
  const answer = await browser.post(path, { renews: json.id });
  expect([answer.status, answer.json.id]).toEqual([201, json.id]);
  expect(await claimsOf(school, answer.json.protocols)).toMatchObject({ sessionId: json.id, renews: true });
  expect(school.rig.audited.filter(({ event }) => event === 'wall_opened')).toHaveLength(1);
  for (const bad of [{ renews: '' }, { renews: 1 }, { other: 1 }])
    expect((await browser.post(path, bad)).status).toBe(400);
});

test('a user who loses machines renews a wall without them, and one who loses the class can not renew it', async () => {
  let rules: object = { access: [], classes: config?.classes };
  const school = await aClassSchool({
    config: { access: undefined, classes: undefined, accessFile: () => JSON.stringify(rules) },
  });
  const change = (lab: object) => {
    rules = { access: [], classes: [{ ...config?.classes?.[0], ...lab }, config?.classes?.[1]] };
    school.clock.advance(5000);
  };
  const browser = await school.rig.signedIn('ina');
  const { json } = await browser.post(path);
  change({ machines: { names: ['lab-anna'] } });
  const fewer = await browser.post(path, { renews: json.id });
  expect(fewer.json.seats).toEqual([{ seat: 0, cluster: 'school', vmid: 101 }]);
  change({ instructors: { users: ['olga'] } });
  expect((await browser.post(path, { renews: json.id })).status).toBe(404);
});

test('a wall lasts no longer than a console that the user may open', async () => {
  const school = await aClassSchool({ config: { limits: { sessionSeconds: 600 } } });
  const { json } = await (await school.rig.signedIn('ina')).post(path);
  expect((await claimsOf(school, json.protocols)).sessionSeconds).toBe(600);
});

test('wall requests count with those for consoles, and a request from another site gets nothing', async () => {
  const { rig } = await aClassSchool({ config: { limits: { grantsPerMinute: 2 } } });
  const browser = await rig.signedIn('ina');
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await browser.post(path)).status);
  expect(statuses).toEqual([201, 201, 429]);
  const { cookie = '' } = await rig.signedIn('ada');
  const other = await rig.ask(path, { method: 'POST', headers: { cookie, 'sec-fetch-site': 'cross-site' } });
  expect(other.status).toBe(403);
});

test('without shared screens there is no wall', async () => {
  const { rig } = await aClassSchool({ config: { sharing: { enabled: false } } });
  expect((await (await rig.signedIn('ina')).post(path)).status).toBe(403);
});
