/** A machine in the list that the broker answers with. */
export interface SiteMachine {
  cluster: string;
  node: string;
  type: 'qemu' | 'lxc';
  vmid: number;
  name: string;
  status: string;
  tags: string[];
  pool?: string;
  allow: ('view' | 'control' | 'terminal' | 'watch' | 'power' | 'end')[];
  kinds: ('screen' | 'terminal')[];
}

export interface SiteSession {
  id: string;
  user: { id: string; name: string; displayName?: string };
  machine: { cluster: string; vmid: number; name: string; type: 'qemu' | 'lxc'; node: string };
  mode: 'view' | 'control';
  kind: 'screen';
  observer?: boolean;
  parked?: boolean;
  relay: string;
  since: string;
  bytes: { toViewer: number; toMachine: number };
  observers: string[];
  mine: boolean;
  may: ('end' | 'watch' | 'control' | 'sign_out')[];
}

export interface SiteSeat {
  machine: { cluster: string; vmid: number; name: string; type: 'qemu' | 'lxc'; node: string };
  member?: { id?: string; name: string; displayName?: string };
  state: 'off' | 'free' | 'open';
  help?: { position: number; since: string; text: string };
}

export interface SiteClass {
  name: string;
  title: string;
  role: 'instructor' | 'member';
  may: string[];
  lesson?: object;
  timetable?: object;
  shown?: object;
  paused?: { until: string; text: string; by?: string };
  ending?: { at: string };
  starting?: { total: number; started: number; failed: number; running: boolean };
  hands: { user: { id: string; name: string }; position: number; since: string; text: string }[];
  seats: SiteSeat[];
}

export function aSeat(name: string, vmid: number, over: Partial<SiteSeat> = {}): SiteSeat {
  return {
    machine: { cluster: 'lab', vmid, name: `lab-${name}`, type: 'qemu', node: 'pve1' },
    member: { id: `local:${name}`, name },
    state: 'open',
    ...over,
  };
}

export function aClass(over: Partial<SiteClass> = {}): SiteClass {
  return {
    name: 'networks',
    title: 'Networks',
    role: 'instructor',
    may: ['pause', 'resume', 'message', 'lower', 'start', 'end', 'cancel_end', 'show', 'stop_showing'],
    hands: [],
    seats: [
      aSeat('ada', 101),
      aSeat('ben', 102),
      aSeat('carl', 103, { member: { name: 'carl' }, state: 'free' }),
      aSeat('dora', 104, { member: { name: 'dora' }, state: 'off' }),
    ],
    ...over,
  };
}

export function aSession(id: string, over: Partial<SiteSession> = {}): SiteSession {
  return {
    id,
    user: { id: `local:${id}`, name: id },
    machine: { cluster: 'lab', vmid: 101, name: `lab-${id}`, type: 'qemu', node: 'pve1' },
    mode: 'control',
    kind: 'screen',
    relay: 'relay-1',
    since: new Date(Date.now() - 42 * 60_000).toISOString(),
    bytes: { toViewer: 12_400_000, toMachine: 90_000 },
    observers: [],
    mine: false,
    may: ['end', 'watch', 'control'],
    ...over,
  };
}

export function aMachine(over: Partial<SiteMachine> = {}): SiteMachine {
  return {
    cluster: 'lab',
    node: 'pve1',
    type: 'qemu',
    vmid: 100,
    name: 'web-1',
    status: 'running',
    tags: [],
    allow: ['view', 'control'],
    kinds: ['screen'],
    ...over,
  };
}
