import { createBuiltinGuest } from '../../fakes/guests/builtin.ts';
import { createRelayRig, type RelayRig } from '../rig.ts';

let rig: RelayRig;
afterEach(() => rig.stop());

test.each(['new', 'old'] as const)(
  'ten concurrent dials of one machine all succeed, although each replaces its only password (%s Proxmox)',
  async (mode) => {
    rig = await createRelayRig({ proxmox: { mode } });
    const clients = await Promise.all(Array.from({ length: 10 }, () => rig.open()));
    const names = await Promise.all(clients.map(async (client) => (await client.rfb()).name));
    expect(names).toEqual(Array.from({ length: 10 }, () => 'QEMU (lab-100)'));
    // Without a retry.
    expect(rig.proxmox.calls.filter(({ path }) => path.endsWith('/vncproxy'))).toHaveLength(10);
    for (const client of clients) client.socket.terminate();
  },
);

test('thirty concurrent dials on two nodes all succeed, at most three at a time per node', async () => {
  const guests = Array.from({ length: 10 }, (_, i) => {
    const name = `lab-${200 + i}`;
    return {
      vmid: 200 + i,
      node: i % 2 === 0 ? 'pve1' : 'pve2',
      type: 'qemu' as const,
      name,
      guest: createBuiltinGuest({ name }),
      running: true,
    };
  });
  rig = await createRelayRig({ proxmox: { guests, vncproxyMs: 200 } });
  const clients = await Promise.all(
    Array.from({ length: 30 }, (_, i) => {
      const { vmid, node, name } = guests[i % guests.length] ?? guests[0]!;
      return rig.open({ vmid, node, machineName: name });
    }),
  );
  const names = await Promise.all(clients.map(async (client) => (await client.rfb()).name));
  expect(new Set(names).size).toBe(10);
  for (const node of ['pve1', 'pve2']) {
    expect(rig.proxmox.maxVncproxyInFlight(node)).toBeLessThanOrEqual(3);
    expect(rig.proxmox.maxVncproxyInFlight(node)).toBeGreaterThan(1);
  }
  // Each console is requested from its machine's own node.
  for (const { node, path } of rig.proxmox.calls.filter(({ path }) => path.endsWith('/vncproxy')))
    expect(path).toContain(`/nodes/${node}/`);
  expect(clients.some(({ messages }) => messages.some(({ type }) => type === 'queued'))).toBe(true);
  for (const client of clients) client.socket.terminate();
});

test('a console opened outside of Porthole at the same time causes a retry, not an error', async () => {
  rig = await createRelayRig({ proxmox: { qmStartMs: 100 } });
  const client = await rig.open();
  const rfb = client.rfb();
  // A vncproxy outside of Porthole replaces the password before the relay has used it.
  const replacePassword = setInterval(() => void rig.guest.setPassword('replaced', 30).catch(() => {}), 1);
  setTimeout(() => clearInterval(replacePassword), 130);
  expect((await rfb).name).toBe('QEMU (lab-100)');
  client.close();
});

test('twenty-four consoles that one user opens at once all open, although the queue takes longer than its limit', async () => {
  const guests = Array.from({ length: 24 }, (_, i) => {
    const name = `lab-${200 + i}`;
    const guest = createBuiltinGuest({ name });
    return { vmid: 200 + i, node: 'pve1', type: 'qemu' as const, name, guest, running: true };
  });
  rig = await createRelayRig({
    proxmox: { guests, qmStartMs: 300 },
    limits: { queueSeconds: 2 },
    opensPerNode: 3,
  });
  const startedAt = Date.now();
  const clients = await Promise.all(
    guests.map(({ vmid, node, name }) => rig.open({ vmid, node, machineName: name })),
  );
  const names = await Promise.all(clients.map(async (client) => (await client.rfb()).name));
  expect(names).toEqual(guests.map(({ name }) => `QEMU (${name})`));
  expect(Date.now() - startedAt).toBeGreaterThan(2000);
  const last = clients.at(-1)?.messages.filter(({ type }) => type === 'queued') ?? [];
  expect(last.length).toBeGreaterThan(2);
  for (const client of clients) client.socket.terminate();
});
