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
export const demoPassword = 'porthole';

/** The members of the class besides the student. Each has a desktop; those of the last two are off. */
export const classmates = [
  { name: 'ada', displayName: 'Ada Lund' },
  { name: 'ben', displayName: 'Ben Okoro' },
  { name: 'carla', displayName: 'Carla Reis' },
  { name: 'dev', displayName: 'Dev Patel' },
  { name: 'emil', displayName: 'Emil Sand' },
  { name: 'fay', displayName: 'Fay Huang' },
  { name: 'gus', displayName: 'Gus Brandt' },
  { name: 'hana', displayName: 'Hana Sato' },
  { name: 'ivo', displayName: 'Ivo Marek' },
  { name: 'jonas', displayName: 'Jonas Weber' },
  { name: 'mira', displayName: 'Mira Novak' },
] as const;
const machinesOff = 2;

/** The desktop of the member with this index. */
export function desktopOf(index: number): { readonly vmid: number; readonly running: boolean } {
  return { vmid: 201 + index, running: index < classmates.length - machinesOff };
}

/** The consoles of the exam that a member takes when the demo starts. */
export const exam = {
  user: 'mira',
  screen: { vmid: 120, name: 'mira-exam' },
  terminal: { vmid: 121, name: 'mira-exam-box' },
} as const;

/** The desktops of a class of twelve on two nodes, machines of an exam, and further machines of a student and of the instructor. */
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
  ...classmates.map(({ name }, index) => ({
    ...desktopOf(index),
    node: `pve${1 + (index % 2)}`,
    name: `${name}-desktop`,
    pool: 'class-a',
    tags: ['linux', `owner-${name}`],
  })),
  { vmid: 105, node: 'pve1', name: 'student-exam', pool: 'exams', tags: ['linux', 'exam-student'] },
  { ...exam.screen, node: 'pve1', pool: 'exams', tags: ['linux', `exam-${exam.user}`] },
  { ...exam.terminal, node: 'pve2', type: 'lxc', pool: 'exams', tags: ['container', `exam-${exam.user}`] },
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

/** Consoles of the exam are recorded. Instructors see all recordings. */
const examRules = [
  {
    name: 'exam',
    who: { everyone: true },
    which: { tags: ['exam-{user}'] },
    allow: ['control', 'terminal'],
    record: { consent: true, keepDays: 30 },
  },
  { name: 'recordings', who: { groups: ['instructors'] }, which: { all: true }, allow: ['recordings'] },
];

export interface DemoOptions {
  readonly basePath?: string | undefined;
  /** A directory for recordings. Without it, there is no exam. */
  readonly recordings?: string;
}

/** The configuration of a standalone Porthole for the simulated Proxmox. */
export async function demoConfig(
  proxmox: FakeProxmox,
  port: number,
  { basePath = '', recordings }: DemoOptions = {},
): Promise<Config> {
  // Hashing is slow on purpose, so all have the same hash.
  const hash = await hashPassword(demoPassword, systemRandom);
  const users = [
    { name: 'student', displayName: 'Sam Student', groups: ['class-a'] },
    ...classmates.map((user) => ({ ...user, groups: ['class-a'] })),
    { name: 'instructor', displayName: 'Ina Instructor', groups: ['instructors'] },
  ].map((user) => ({ ...user, password: hash }));
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
        allow: ['control', 'terminal', 'power'],
      },
      {
        name: 'all machines of the pool',
        who: { groups: ['instructors'] },
        which: { pools: ['class-a'] },
        allow: ['control', 'terminal', 'power', 'watch', 'end'],
      },
      { name: 'the noticeboard', who: { groups: ['class-a'] }, which: { tags: ['shared'] }, allow: ['view'] },
      ...(recordings === undefined ? [] : examRules),
    ],
    classes: [
      {
        name: 'class-a',
        title: 'Class A',
        members: { groups: ['class-a'] },
        instructors: { groups: ['instructors'] },
        machines: { pools: ['class-a'], names: ['*-desktop'] },
        own: { tags: ['owner-{user}'] },
        allow: ['control', 'terminal', 'power'],
      },
    ],
    ...(recordings === undefined
      ? {}
      : {
          recordings: {
            encryptionKeys: constantSecret(systemRandom(32).toString('hex')),
            storage: { directory: recordings },
          },
        }),
  });
}
