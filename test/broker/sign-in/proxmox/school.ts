import type { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock, type FakeClock } from '../../../fakes/clock.ts';
import {
  createFakeProxmox,
  type FakeProxmox,
  type FakeProxmoxOptions,
} from '../../../fakes/proxmox/fake-proxmox.ts';
import type { Browser } from '../../browser.ts';
import { brokerToken, closeBrokers, someGuests, startBroker, type Rig } from '../../rig.ts';

/** All with rights at Proxmox, not by access rules. */
export const accounts = {
  anna: { userid: 'anna@ad', password: 'pw of anna', acl: { '/vms/101': ['VM.Console', 'VM.Audit'] } },
  /** By a pool, and without VM.PowerMgmt. */
  ben: { userid: 'ben@ad', password: 'pw of ben', acl: { '/pool/class-a': ['VM.Console', 'VM.Audit'] } },
  /** All machines except one with NoAccess. */
  tina: {
    userid: 'tina@pve',
    password: 'pw of tina',
    acl: { '/': ['VM.Console', 'VM.Audit', 'VM.PowerMgmt'], '/vms/200': [] },
  },
  /** With a second factor. */
  carl: {
    userid: 'carl@ad',
    password: 'pw of carl',
    totp: '123456',
    recovery: ['aaaa-1', 'bbbb-2'],
    acl: { '/vms/101': ['VM.Console'] },
  },
  kim: { userid: 'kim@ad', password: 'pw of kim', webauthn: true },
  root: { userid: 'root@pam', password: 'pw of root' },
} as const;

export const school = {
  cluster: 'school',
  realms: [{ name: 'ad', title: 'School account' }, { name: 'pve' }],
};
type Settings = NonNullable<NonNullable<Parameters<typeof startBroker>[0]>['config']>;

/** A broker whose users sign in with the accounts of its Proxmox. */
export interface School {
  readonly rig: Rig;
  readonly fake: FakeProxmox;
  readonly clock: FakeClock;
}

let fake: FakeProxmox | undefined;

/** To be called in `afterEach` of every file that starts a school. */
export async function closeSchool(): Promise<void> {
  await closeBrokers();
  await fake?.close();
  fake = undefined;
}

export async function start({
  signIn = school,
  settings = {},
  proxmox = {},
  store,
}: {
  signIn?: object;
  settings?: Settings;
  proxmox?: FakeProxmoxOptions;
  store?: ReturnType<typeof createMemoryStore>;
} = {}): Promise<School> {
  const clock = createFakeClock(Date.UTC(2026, 10, 23, 12));
  fake = await createFakeProxmox({
    clock,
    unauthorizedDelayMs: 0,
    statusRefreshMs: 0,
    users: [
      { userid: 'porthole@pve', password: 'unused', acl: { '/vms': ['VM.Audit'], '/pool': ['Pool.Audit'] } },
      ...Object.values(accounts),
    ],
    tokens: [{ ...brokerToken, privsep: false }],
    guests: someGuests,
    ...proxmox,
  });
  const rig = await startBroker({
    clock,
    ...(store ? { store } : {}),
    proxmox: [{ name: 'school', fake }],
    config: { signIn: { proxmox: [signIn] } as never, access: undefined, ...settings },
  });
  return { rig, fake, clock };
}

export const path = '/api/v1/login/proxmox/school';

type Name = keyof typeof accounts;
export function password(browser: Browser, who: Name, secret: string = accounts[who].password) {
  const [username, realm] = accounts[who].userid.split('@');
  return browser.post(path, { realm, username, password: secret });
}
export const code = (browser: Browser, id: string, text: string, factor = 'totp') =>
  browser.post(`${path}/code`, { id, factor, code: text });

export async function signedIn(rig: Rig, who: Name): Promise<Browser> {
  const browser = rig.browser();
  const answer = await password(browser, who);
  if (answer.status !== 200) throw new Error(answer.text);
  return browser;
}

export async function machines(browser: Browser): Promise<Record<number, string[]>> {
  const { json } = await browser.get('/api/v1/consoles');
  return Object.fromEntries(
    (json.consoles as { vmid: number; allow: string[] }[]).map(({ vmid, allow }) => [vmid, allow]),
  );
}
export const grant = (browser: Browser, vmid: number) =>
  browser.post(`/api/v1/consoles/school/${vmid}/grants`, { mode: 'control' });
