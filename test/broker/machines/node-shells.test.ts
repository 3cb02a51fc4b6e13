import type { AccessRule } from '@porthole/shared/config/access-schema';
import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { aCluster, closeBrokers, startBroker, type Rig } from '../rig.ts';

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
  { nodeShells = true }: { nodeShells?: boolean } = {},
): Promise<{ fake: FakeProxmox; rig: Rig }> {
  const fake = await aCluster();
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

describe('the shell of a node', () => {
  test('stands in the list of whom a rule gives nodes by type, as a terminal and nothing else', async () => {
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

  test('is not switched off from here', async () => {
    const { rig, fake } = await start([nodes]);
    const answer = await (
      await rig.signedIn('anna')
    ).post('/api/v1/consoles/school/1/power', { action: 'stop' });
    expect(answer).toMatchObject({ status: 403, json: { code: 'not_allowed' } });
    expect(fake.calls.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('is nothing that a rule about all machines gives', async () => {
    const { rig } = await start([machines, nodes]);
    const ben = await rig.signedIn('ben');
    expect(listedTypes((await ben.get('/api/v1/consoles')).json)).toEqual(['lxc', 'qemu']);
    const answer = await ben.post('/api/v1/consoles/school/1/grants', { mode: 'control', kind: 'terminal' });
    expect(answer).toMatchObject({ status: 404, json: { code: 'machine_not_found' } });
  });

  test('is not there at all where the cluster does not say so, and Proxmox is not asked', async () => {
    const { rig, fake } = await start([machines, nodes], { nodeShells: false });
    const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
    expect(listedTypes(json)).toEqual(['lxc', 'qemu']);
    expect(fake.calls.filter(({ path }) => path.endsWith('/cluster/status'))).toEqual([]);
  });

  test('is missing, and no machine with it, where the credential may not see the nodes', async () => {
    const { rig, fake } = await start([machines, nodes]);
    fake.setAcl('porthole@pve', { '/vms': ['VM.Audit'] });
    const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
    expect(listedTypes(json)).toEqual(['lxc', 'qemu']);
  });

  test('of a node that is away is shown as off', async () => {
    const { rig, fake } = await start([nodes]);
    await fake.setNodeDown('pve2', true);
    const { json } = await (await rig.signedIn('anna')).get('/api/v1/consoles');
    expect(json.consoles).toMatchObject([
      { name: 'pve1', status: 'running' },
      { name: 'pve2', status: 'stopped' },
    ]);
  });
});
