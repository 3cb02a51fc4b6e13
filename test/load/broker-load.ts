import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createFakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { freePort } from '../free-port.ts';
import { startRedisServer } from '../fakes/redis-server.ts';
import { aUser, brokerToken, password, usersFile } from '../broker/rig.ts';
import { startProcess } from '../standalone/service-process.ts';
import { usageOf } from './process-usage.ts';

/** Users who sign in and open consoles at about the same time, as at the start of a lesson. */
export interface BrokerLoadPlan {
  readonly users: number;
  /** Number of users who open a console, spread evenly over the time. */
  readonly grants: number;
  readonly seconds: number;
  readonly machines: number;
}

/** Latencies are in milliseconds. */
export interface BrokerLoad {
  readonly plan: BrokerLoadPlan;
  readonly signInSeconds: number;
  readonly lists: readonly number[];
  readonly grants: readonly number[];
  readonly errors: number;
  /** Number of calls for the list of machines at Proxmox. */
  readonly listCalls: number;
  /** The maximum of these calls: one per three seconds, for any number of users. */
  readonly maxListCalls: number;
  readonly cpuSeconds: number;
  readonly rssMib: number;
}

/** Interval at which pages request the list. */
const pollMs = 3000;
/** Minimum interval at which the broker requests the list from Proxmox. */
const minListIntervalMs = 3000;

/**
 * Measures a broker process with a real Redis and a simulated Proxmox: all users request the list, and some open
 * consoles.
 */
export async function measureBrokerLoad(plan: BrokerLoadPlan): Promise<BrokerLoad> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-broker-load-'));
  const redis = await startRedisServer();
  const proxmox = await createFakeProxmox({
    users: [{ userid: 'porthole@pve', password: 'unused', acl: { '/': ['VM.Audit', 'Pool.Audit'] } }],
    tokens: [{ ...brokerToken, privsep: false }],
    guests: Array.from({ length: plan.machines }, (_, i) => ({
      vmid: 100 + i,
      node: `pve${(i % 2) + 1}`,
      name: `lab-u${i}`,
      tags: ['lab'],
    })),
  });
  const names = Array.from({ length: plan.users }, (_, i) => `u${i}`);
  await writeFile(join(folder, 'ca.pem'), proxmox.caPem);
  await writeFile(join(folder, 'users.yaml'), usersFile(...names.map((name) => aUser(name, 'class'))));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const config = {
    publicUrl: origin,
    relayUrl: `ws://127.0.0.1:${port}/relay/v1/console`,
    redis: { url: redis.url },
    grantKeys: 'k'.repeat(40),
    clusters: [
      {
        name: 'lab',
        urls: proxmox.url(),
        credential: { token: brokerToken.tokenid, secret: brokerToken.secret },
        tls: { caFile: 'ca.pem' },
      },
    ],
    signIn: { local: { usersFile: 'users.yaml' } },
    access: [
      { who: { everyone: true }, which: { names: ['lab-{user}'] }, allow: ['control'] },
      { who: { groups: ['class'] }, which: { vmids: ['100-104'] }, allow: ['view'] },
    ],
    // All users have the same address.
    limits: { signInsPerAddressPerMinute: 1_000_000 },
  };
  await writeFile(join(folder, 'porthole.yaml'), JSON.stringify(config));
  const broker = startProcess('services/broker/src/main.ts', [], {
    PORTHOLE_CONFIG: join(folder, 'porthole.yaml'),
    PORTHOLE_LISTEN: `127.0.0.1:${port}`,
    PORTHOLE_OPERATIONS_LISTEN: '127.0.0.1:0',
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  let errors = 0;

  function send(
    method: string,
    path: string,
    cookie: string,
    body?: object,
  ): Promise<{ ms: number; cookie: string }> {
    const payload = body && JSON.stringify(body);
    const began = performance.now();
    return new Promise((resolve) => {
      const done = (ok: boolean, set = '') => {
        if (!ok) errors++;
        resolve({ ms: performance.now() - began, cookie: set.split(';')[0] ?? '' });
      };
      const outgoing = request(
        `${origin}/api/v1${path}`,
        {
          method,
          agent,
          headers: {
            'sec-fetch-site': 'same-origin',
            cookie,
            ...(payload === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          },
        },
        (answer) => {
          answer
            .resume()
            .on('end', () => done((answer.statusCode ?? 500) < 300, answer.headers['set-cookie']?.[0]));
        },
      );
      outgoing.on('error', () => done(false));
      outgoing.end(payload);
    });
  }

  try {
    await broker.printed('"ready"');
    const cookies: string[] = [];
    const beganSigningIn = performance.now();
    for (let at = 0; at < names.length; at += 20)
      cookies.push(
        ...(await Promise.all(
          names
            .slice(at, at + 20)
            .map(async (username) => (await send('POST', '/login', '', { username, password })).cookie),
        )),
      );
    const signInSeconds = (performance.now() - beganSigningIn) / 1000;

    const listCalls = () => proxmox.calls.filter(({ path }) => path.endsWith('/cluster/resources')).length;
    const before = { calls: listCalls(), cpu: usageOf(broker.pid).cpuSeconds };
    const began = performance.now();
    const until = began + plan.seconds * 1000;
    const lists: number[] = [];
    const grants: number[] = [];
    await Promise.all([
      ...cookies.map(async (cookie, i) => {
        for (let next = began + (i / plan.users) * pollMs; next < until; next += pollMs) {
          await pause(Math.max(0, next - performance.now()));
          lists.push((await send('GET', '/consoles', cookie)).ms);
        }
      }),
      ...Array.from({ length: plan.grants }, async (_, i) => {
        await pause(Math.max(0, began + (i / plan.grants) * plan.seconds * 1000 - performance.now()));
        const path = `/consoles/lab/${100 + (i % plan.machines)}/grants`;
        grants.push((await send('POST', path, cookies[i % cookies.length] ?? '', { mode: 'control' })).ms);
      }),
    ]);
    const elapsed = performance.now() - began;
    const after = usageOf(broker.pid);
    return {
      plan,
      signInSeconds,
      lists,
      grants,
      errors,
      listCalls: listCalls() - before.calls,
      maxListCalls: Math.ceil(elapsed / minListIntervalMs) + 1,
      cpuSeconds: after.cpuSeconds - before.cpu,
      rssMib: after.rssBytes / 1024 / 1024,
    };
  } finally {
    agent.destroy();
    broker.signal('SIGTERM');
    await broker.exited;
    await proxmox.close();
    await redis.stop();
    await rm(folder, { recursive: true });
  }
}

/** Formats the result as a section of the report. */
export function reportBrokerLoad({ plan, ...load }: BrokerLoad): string {
  const at = (times: readonly number[], share: number) => {
    const sorted = times.toSorted((a, b) => a - b);
    return `${(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(1)} ms`;
  };
  const row = (name: string, times: readonly number[]) =>
    `| ${name} | ${times.length} | ${at(times, 0.5)} | ${at(times, 0.95)} | ${at(times, 0.99)} |`;
  return [
    `${plan.users} signed-in users request their list of ${plan.machines} machines every ${pollMs / 1000} s, and ${plan.grants} of them request a console within ${plan.seconds} s. One broker, a real Redis and a simulated Proxmox run on this machine.`,
    '',
    '| Request | Number | Median | p95 | p99 |',
    '|---|--:|--:|--:|--:|',
    row('machine list', load.lists),
    row('grant', load.grants),
    '',
    `- Errors: ${load.errors}.`,
    `- Machine list calls to Proxmox: ${load.listCalls} (at most ${load.maxListCalls}, one per ${minListIntervalMs / 1000} s).`,
    `- CPU time of the broker: ${load.cpuSeconds.toFixed(1)} s within ${plan.seconds} s. Memory (RSS): ${load.rssMib.toFixed(0)} MiB.`,
    `- Duration of all sign-ins, in groups of 20: ${load.signInSeconds.toFixed(1)} s, with a cheap password hash.`,
    '',
  ].join('\n');
}
