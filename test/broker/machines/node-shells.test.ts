import type { AccessRule } from '@porthole/shared/config/access-schema';
import type { FakeProxmox, NodeOptions } from '../../fakes/proxmox/fake-proxmox.ts';
import { aCluster, closeBrokers, someGuests, startBroker, type Rig } from '../rig.ts';

afterEach(closeBrokers);

const machines: AccessRule = {
  who: { everyone: true },
  which: { all: true },
  allow: ['control', 'terminal', 'power'],
};
const nodes: AccessRule = {
  who: { users: ['anna'] },
  which: { types: ['node'] },
  allow: ['control', 'terminal', 'watch', 'power', 'end'],
};

async function start(
  access: readonly AccessRule[],
  { nodeShells = true, nodes: nodeOptions }: { nodeShells?: boolean; nodes?: readonly NodeOptions[] } = {},
): Promise<{ fake: FakeProxmox; rig: Rig }> {
  const fake = await aCluster(someGuests, [], nodeOptions && { nodes: nodeOptions });
  fake.setAcl('porthole@pve', { '/': ['Sys.Audit', 'VM.Audit'] });
  const rig = await startBroker({
    proxmox: [{ name: 'school', fake }],
    config: { access: [...access] },
    cluster: { nodeShells },
  });
  return { fake, rig };
}

const listedTypes = (json: { consoles: { type: string }[] }) =>
  [...new Set(json.consoles.map(({ type }) => type))].toSorted();

describe('a node shell', () => {
  test('is listed for users whose rules name the type node, as a terminal only', async () => {
    const { rig } = await start([nodes]);
    const anna = await rig.signedIn('anna');
    const { json } = await anna.get('/api/v1/consoles');
    expect(json.consoles).toEqual(
      [1, 2].map((vmid) => ({
        cluster: 'school',
        node: `pve${vmid}`,
        type: 'node',
        vmid,
        name: `pve${vmid}`,
        status: 'running',
        tags: [],
        allow: ['terminal', 'end'],
        kinds: ['terminal'],
      })),
    );
    const granted = await anna.post('/api/v1/consoles/school/2/grants', {
      mode: 'control',
      kind: 'terminal',
    });
    expect(granted).toMatchObject({ status: 201, json: { machine: { type: 'node', name: 'pve2' } } });
    expect(rig.audited.at(-1)).toMatchObject({ event: 'grant', machine: { type: 'node', vmid: 2 } });
  });

  test.each(['control', 'view'])('has no screen to %s', async (mode) => {
    const { rig } = await start([nodes]);
    const answer = await (await rig.signedIn('anna')).post('/api/v1/consoles/school/1/grants', { mode });
    expect(answer).toMatchObject({ status: 403, json: { code: 'not_allowed' } });
  });

  test('has no power actions', async () => {
    const { rig, fake } = await start([nodes]);
    const answer = await (
      await rig.signedIn('anna')
    ).post('/api/v1/consoles/school/1/power', { action: 'stop' });
    expect(answer).toMatchObject({ status: 403, json: { code: 'not_allowed' } });
    expect(fake.calls.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('is not given by a rule for all machines', async () => {
    const { rig } = await start([machines, nodes]);
    const ben = await rig.signedIn('ben');
    expect(listedTypes((await ben.get('/api/v1/consoles')).json)).toEqual(['lxc', 'qemu']);
    const answer = await ben.post('/api/v1/consoles/school/1/grants', { mode: 'control', kind: 'terminal' });
    expect(answer).toMatchObject({ status: 404, json: { code: 'machine_not_found' } });
  });

  test('is not listed without nodeShells, and costs no call to Proxmox', async () => {
    const { rig, fake } = await start([machines, nodes], { nodeShells: false });
    const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
    expect(listedTypes(json)).toEqual(['lxc', 'qemu']);
    expect(fake.calls.filter(({ path }) => path.endsWith('/cluster/status'))).toEqual([]);
  });

  test('is not listed if the credential may not list nodes, while machines are', async () => {
    const { rig, fake } = await start([machines, nodes]);
    fake.setAcl('porthole@pve', { '/vms': ['VM.Audit'] });
    const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
    expect(listedTypes(json)).toEqual(['lxc', 'qemu']);
  });

  test('of a node that is in no cluster is listed with number 1', async () => {
    const { rig } = await start([nodes], { nodes: [{ name: 'alone', address: '127.0.0.2' }] });
    const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
    expect(json.consoles).toMatchObject([{ type: 'node', vmid: 1, name: 'alone', status: 'running' }]);
  });

  test('of an offline node is listed as stopped', async () => {
    const { rig, fake } = await start([nodes]);
    await fake.setNodeDown('pve2', true);
    const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
    expect(json.consoles).toMatchObject([
      { name: 'pve1', status: 'running' },
      { name: 'pve2', status: 'stopped' },
    ]);
  });
});
