import { hashPassword } from '@porthole/broker/sign-in/local/password-hash';
import { configSchema, type Config } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { systemRandom } from '@porthole/shared/crypto/random';
import { stringify } from 'yaml';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import type { Guest } from '../fakes/guests/guest.ts';
import { delayProfiles, type DelayProfileName } from '../fakes/proxmox/delay-profiles.ts';
import { createFakeProxmox, type FakeProxmox, type GuestOptions } from '../fakes/proxmox/fake-proxmox.ts';

const token = { tokenid: 'porthole@pve!demo', secret: systemRandom(16).toString('hex') };
const password = 'porthole';

/** A small class: machines on two nodes, in two pools. One machine is stopped. */
const machines: readonly Omit<GuestOptions, 'guest'>[] = [
  { vmid: 101, node: 'pve1', name: 'student-desktop', pool: 'class-a', tags: ['linux', 'owner-student'] },
  {
    vmid: 102,
    node: 'pve2',
    name: 'student-server',
    pool: 'class-a',
    tags: ['linux', 'owner-student', 'web'],
  },
  {
    vmid: 103,
    node: 'pve1',
    name: 'student-box',
    type: 'lxc',
    pool: 'class-a',
    tags: ['container', 'owner-student'],
  },
  {
    vmid: 104,
    node: 'pve2',
    name: 'student-spare',
    pool: 'class-a',
    tags: ['linux', 'owner-student'],
    running: false,
  },
  { vmid: 110, node: 'pve1', name: 'class-noticeboard', pool: 'class-a', tags: ['shared'] },
  { vmid: 201, node: 'pve1', name: 'mira-desktop', pool: 'class-a', tags: ['linux', 'owner-mira'] },
  { vmid: 202, node: 'pve2', name: 'jonas-desktop', pool: 'class-a', tags: ['linux', 'owner-jonas'] },
  {
    vmid: 301,
    node: 'pve2',
    name: 'instructor-gateway',
    pool: 'infra',
    tags: ['network', 'owner-instructor'],
  },
];

/** Delay until a machine starts again after `poweroff`, because not every user of the demo may start it. */
const restartDelayMs = 12_000;

/**
 * Starts a simulated Proxmox with machines in TypeScript, which needs no installed program. The default delays are
 * shorter than in real life.
 */
export function startDemoProxmox(delays: DelayProfileName = 'quick'): Promise<FakeProxmox> {
  return createFakeProxmox({
    // On one address, because some systems have only one loopback address.
    nodes: [
      { name: 'pve1', address: '127.0.0.1' },
      { name: 'pve2', address: '127.0.0.1' },
    ],
    statusRefreshMs: 1000,
    qmStartMs: 300,
    vncproxyMs: 150,
    powerMs: 1500,
    ...delayProfiles[delays],
    users: [
      {
        userid: 'porthole@pve',
        password: systemRandom(16).toString('hex'),
        acl: { '/': ['VM.Console', 'VM.Audit', 'VM.PowerMgmt', 'Sys.Audit', 'Pool.Audit'] },
      },
    ],
    tokens: [{ ...token, privsep: false }],
    guests: machines.map((machine) => {
      const guest = createBuiltinGuest({
        name: machine.name,
        style: machine.type === 'lxc' ? 'vncterm' : 'qemu',
      });
      return { ...machine, guest: restartingGuest(guest) };
    }),
  });
}

function restartingGuest(guest: Guest): Guest {
  let closed = false;
  guest.onStopped(() => {
    setTimeout(() => void (closed || guest.start()), restartDelayMs).unref();
  });
  return {
    ...guest,
    get running() {
      return guest.running;
    },
    async close() {
      closed = true;
      await guest.close();
    },
  };
}

/** The configuration of a standalone Porthole for the simulated Proxmox. */
export async function demoConfig(proxmox: FakeProxmox, port: number, basePath = ''): Promise<Config> {
  const users = await Promise.all(
    [
      { name: 'student', displayName: 'Sam Student', groups: ['class-a'] },
      { name: 'instructor', displayName: 'Ina Instructor', groups: ['instructors'] },
    ].map(async (user) => ({ ...user, password: await hashPassword(password, systemRandom) })),
  );
  return configSchema.parse({
    publicUrl: `http://localhost:${port}${basePath}`,
    allowedOrigins: [`http://127.0.0.1:${port}`],
    listen: `127.0.0.1:${port}`,
    operationsListen: '127.0.0.1:0',
    logLevel: 'warn',
    clusters: [
      {
        name: 'demo',
        urls: proxmox.url('pve1'),
        nodes: Object.fromEntries(proxmox.nodes.map(({ name, url }) => [name, url])),
        credential: { token: token.tokenid, secret: constantSecret(token.secret) },
        tls: { caFile: constantSecret(proxmox.caPem) },
      },
    ],
    signIn: { local: { usersFile: constantSecret(stringify({ users })) } },
    access: [
      {
        name: 'own machines',
        who: { everyone: true },
        which: { tags: ['owner-{user}'] },
        allow: ['control', 'terminal'],
      },
      { name: 'the noticeboard', who: { groups: ['class-a'] }, which: { tags: ['shared'] }, allow: ['view'] },
    ],
    classes: [
      {
        name: 'class-a',
        title: 'Class A',
        members: { groups: ['class-a'] },
        instructors: { groups: ['instructors'] },
        machines: { pools: ['class-a'] },
        own: { tags: ['owner-{user}'] },
        allow: ['control', 'terminal', 'power'],
      },
    ],
  });
}
