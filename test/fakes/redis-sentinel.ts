import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { endWithUs } from './end-with-us.ts';
import { startRedisServer, type RedisServer } from './redis-server.ts';

/** A Redis leader, its replica and three sentinels: real processes on loopback ports of their own. */
export interface RedisGroup {
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly first: RedisServer;
  readonly second: RedisServer;
  /** Port of the server that is the leader according to the sentinels. */
  leader(): Promise<number>;
  stop(): Promise<void>;
}

export interface RedisGroupOptions {
  /** Password of the servers. */
  readonly password?: string;
  /** Password of the sentinels. */
  readonly sentinelPassword?: string;
  /** Additional lines for the configuration of the servers. */
  readonly config?: readonly string[];
}

const name = 'porthole';

/**
 * Periods of a sentinel in milliseconds, shorter than the defaults, so that it soon learns about the others and about a lost
 * leader. TILT, in which a sentinel distrusts the clock of a busy machine for half a minute, is avoided.
 */
const periods = {
  'INFO-PERIOD': 100,
  'ASK-PERIOD': 100,
  'PUBLISH-PERIOD': 100,
  'MIN-LINK-RECONNECT-PERIOD': 200,
  'TILT-TRIGGER': 60_000,
  'TILT-PERIOD': 100,
};

export async function startRedisGroup(options: RedisGroupOptions = {}): Promise<RedisGroup> {
  const { password, sentinelPassword } = options;
  const config = [
    'repl-diskless-sync-delay 0',
    ...(options.config ?? []),
    ...(password === undefined ? [] : [`masterauth "${password}"`]),
  ];
  const servers = password === undefined ? {} : { password };
  const first = await startRedisServer({ ...servers, config });
  const second = await startRedisServer({
    ...servers,
    config: [...config, `replicaof 127.0.0.1 ${first.port}`],
  });
  const replica = new Redis(second.url);
  await eventually('the replica follows', async () =>
    (await replica.info('replication')).includes('master_link_status:up'),
  );
  replica.disconnect();

  const directory = await mkdtemp(join(tmpdir(), 'porthole-sentinels-'));
  const sentinels = await Promise.all(
    [0, 1, 2].map((index) => startSentinel(join(directory, `${index}.conf`))),
  );

  async function startSentinel(file: string): Promise<{ port: number; child: ChildProcess }> {
    const port = await freePort();
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      ...(sentinelPassword === undefined ? [] : [`requirepass "${sentinelPassword}"`]),
      `sentinel monitor ${name} 127.0.0.1 ${first.port} 2`,
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 2000`,
      ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
    ];
    // A sentinel keeps what it learns in this file.
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
    endWithUs(child);
    await eventually('the sentinel answers', () =>
      ask(port, (sentinel) => sentinel.call('SENTINEL', 'DEBUG', ...Object.entries(periods).flat())),
    );
    return { port, child };
  }

  async function ask<T>(port: number, question: (sentinel: Redis) => Promise<T>): Promise<T> {
    const sentinel = new Redis({
      port,
      lazyConnect: true,
      retryStrategy: () => null,
      ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    });
    sentinel.on('error', () => {});
    try {
      return await question(sentinel);
    } finally {
      sentinel.disconnect();
    }
  }

  // From here on, they can agree on another leader.
  await Promise.all(
    sentinels.map(({ port }) =>
      eventually('the sentinel knows the other sentinels and the replica', async () => {
        const answer = await ask(port, (sentinel) => sentinel.call('SENTINEL', 'CKQUORUM', name)).catch(
          () => '',
        );
        const replicas = await ask(port, (sentinel) => sentinel.call('SENTINEL', 'REPLICAS', name)).catch(
          () => [],
        );
        return String(answer).startsWith('OK 3') && Array.isArray(replicas) && replicas.length === 1;
      }),
    ),
  );

  return {
    name,
    sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    first,
    second,
    async leader() {
      const [one] = sentinels;
      if (!one) throw new Error('There is no sentinel.');
      const answer = await ask(one.port, (sentinel) =>
        sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name),
      );
      return Array.isArray(answer) ? Number(answer[1]) : Number.NaN;
    },
    async stop() {
      await Promise.all(
        sentinels.map(async ({ child }) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          child.kill('SIGKILL');
          await once(child, 'exit');
        }),
      );
      await Promise.all([first.stop(), second.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
