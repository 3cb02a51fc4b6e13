import { createFakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { serveParent } from './child.ts';
import { createDesktopGuest } from './desktop-guest.ts';
import { desktop } from './shared-plan.ts';

/** A simulated Proxmox with machines, as many as the first argument says, whose desktops change as the bench demands. */
const count = Number(process.argv[2] ?? 1);
const guests = Array.from({ length: count }, () => createDesktopGuest(desktop));
const proxmox = await createFakeProxmox({
  users: [{ userid: 'bench@pve', password: 'unused', acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit'] } }],
  tokens: [{ tokenid: 'bench@pve!relay', secret: 'bench', privsep: false }],
  nodes: [{ name: 'pve1', address: '127.0.0.1' }],
  portRange: { from: 5900, to: 5999 },
  guests: guests.map((guest, i) => ({ vmid: desktop.vmid + i, node: 'pve1', name: `desktop-${i}`, guest })),
});
const sum = (of: (guest: (typeof guests)[number]) => number) =>
  guests.reduce((total, guest) => total + of(guest), 0);

serveParent(
  { url: proxmox.url('pve1'), caPem: proxmox.caPem, updateBytes: guests[0]?.updateBytes },
  ({ updatesPerSecond, machines = count }: { updatesPerSecond?: number; machines?: number }) => {
    if (updatesPerSecond !== undefined)
      for (const guest of guests.slice(0, machines)) guest.setActivity(updatesPerSecond);
    return {
      consoles: sum((guest) => guest.connections()),
      sentBytes: sum((guest) => guest.sentBytes()),
      vncproxyCalls: proxmox.calls.filter(({ path }) => path.endsWith('/vncproxy')).length,
    };
  },
);
