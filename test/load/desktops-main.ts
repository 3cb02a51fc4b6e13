import { createFakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { serveParent } from './child.ts';
import { createDesktopGuest } from './desktop-guest.ts';
import { desktop } from './shared-plan.ts';

/** A simulated Proxmox with one machine, whose desktop changes as the bench demands. */
const guest = createDesktopGuest(desktop);
const proxmox = await createFakeProxmox({
  users: [{ userid: 'bench@pve', password: 'unused', acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit'] } }],
  tokens: [{ tokenid: 'bench@pve!relay', secret: 'bench', privsep: false }],
  nodes: [{ name: 'pve1', address: '127.0.0.1' }],
  guests: [{ vmid: desktop.vmid, node: 'pve1', name: 'desktop', guest }],
});

serveParent(
  { url: proxmox.url('pve1'), caPem: proxmox.caPem, updateBytes: guest.updateBytes },
  ({ updatesPerSecond }: { updatesPerSecond?: number }) => {
    if (updatesPerSecond !== undefined) guest.setActivity(updatesPerSecond);
    return {
      consoles: guest.connections(),
      sentBytes: guest.sentBytes(),
      vncproxyCalls: proxmox.calls.filter(({ path }) => path.endsWith('/vncproxy')).length,
    };
  },
);
