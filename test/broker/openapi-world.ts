import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constantSecret } from '@porthole/shared/config/secret';
import { PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { Store } from '@porthole/shared/store/ports';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';
import { startIssuer, type TestIssuer } from '../fakes/oidc/issuer.ts';
import { createFakeProxmox, type FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { recordingKey } from '../fakes/recordings/write-recording.ts';
import type { Browser } from './browser.ts';
import { aUser, brokerToken, someGuests, startBroker, usersFile, type Rig } from './rig.ts';

const school = { cluster: 'school', realms: [{ name: 'pve' }] };

export interface OpenApiWorld {
  /** What tests switch off: the store, the points of all rate limits, and the sign-ins, with this error. */
  readonly away: { store: boolean; limited: boolean; login: ErrorCode | undefined };
  readonly clock: FakeClock;
  readonly store: Store;
  readonly fake: FakeProxmox;
  readonly issuer: TestIssuer;
  readonly rig: Rig;
  /** May do everything. */
  readonly anna: Browser;
  /** May view machine 101. */
  readonly ben: Browser;
  /** Sees the recordings of machine 101. */
  readonly mia: Browser;
  /** The directory of recordings. */
  readonly recordings: string;
}

/** A broker with every sign-in method, two users and all that the operations of the file need. */
export async function startOpenApiWorld(): Promise<OpenApiWorld> {
  const away: OpenApiWorld['away'] = { store: false, limited: false, login: undefined };
  const clock = createFakeClock(Date.now());
  const memory = createMemoryStore({ clock });
  const sometimes = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (away.store) return () => Promise.reject(new PortholeError('store_unavailable'));
        const { login } = away;
        if (login && name === 'get') return () => Promise.reject(new PortholeError(login));
        return value;
      },
    });
  const store = {
    ...memory,
    records: sometimes(memory.records),
    leases: sometimes(memory.leases),
    rateLimits: {
      ...memory.rateLimits,
      spend: (key: string, points: number, seconds: number) =>
        away.limited
          ? Promise.reject(new PortholeError('rate_limited', { retryAfter: 1 }))
          : memory.rateLimits.spend(key, points, seconds),
    },
  };
  const fake = await createFakeProxmox({
    unauthorizedDelayMs: 0,
    statusRefreshMs: 0,
    users: [
      {
        userid: 'porthole@pve',
        password: 'x',
        acl: { '/': ['VM.Audit', 'VM.Console', 'VM.PowerMgmt', 'Pool.Audit'] },
      },
      {
        userid: 'carl@pve',
        password: 'pw of carl',
        totp: '123456',
        acl: { '/': ['VM.Console', 'VM.Audit'] },
      },
      { userid: 'anna@pve', password: 'pw of anna', acl: { '/': ['VM.Console', 'VM.Audit'] } },
    ],
    tokens: [{ ...brokerToken, privsep: false }],
    guests: someGuests,
  });
  const issuer = await startIssuer({
    accounts: [{ sub: 'anna-1', claims: {} }],
    redirectUris: ['http://localhost:8080/x'],
  });
  const recordings = await mkdtemp(join(tmpdir(), 'porthole-openapi-'));
  const rig = await startBroker({
    clock,
    store,
    proxmox: [{ name: 'school', fake }],
    config: {
      recordings: { encryptionKeys: constantSecret(recordingKey), storage: { directory: recordings } },
      access: [
        {
          who: { users: ['anna'] },
          which: { all: true },
          allow: ['control', 'power', 'end', 'explain', 'audit', 'recordings'],
        },
        { who: { users: ['ben'] }, which: { vmids: [101] }, allow: ['view'] },
        { who: { users: ['mia'] }, which: { vmids: [101] }, allow: ['recordings'] },
      ],
      classes: [
        {
          name: 'lab',
          members: { users: ['ben'] },
          instructors: { users: ['anna'] },
          machines: { tags: ['lab'] },
          own: ['*'],
          when: { timeZone: 'UTC', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] },
          prepare: { startMinutes: 10 },
          after: { shutdownMinutes: 30 },
        },
      ],
      signIn: {
        local: { usersFile: constantSecret(usersFile(aUser('anna'), aUser('ben'), aUser('mia'))) },
        proxmox: [school],
        oidc: [
          {
            name: 'school',
            issuer: issuer.url,
            clientId: issuer.clientId,
            clientSecret: constantSecret(issuer.clientSecret),
          },
        ],
        header: { from: ['10.0.0.0/8'], signOutUrl: 'https://proxy.example/out' },
      },
    },
  });
  const anna = await rig.signedIn('anna');
  const ben = await rig.signedIn('ben');
  const mia = await rig.signedIn('mia');
  return { away, clock, store, fake, issuer, rig, anna, ben, mia, recordings };
}
