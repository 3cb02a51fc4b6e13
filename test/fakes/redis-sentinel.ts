import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from '../eventually.ts';
import { freePort, startRedisServer, type RedisServer } from './redis-server.ts';

/** A Redis server, its replica, and three sentinels that watch over them, all real and on loopback ports of their own. */
export interface RedisGroup {
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly first: RedisServer;
  readonly second: RedisServer;
  /** Which port the sentinels say leads. */
  leader(): Promise<number>;
  stop(): Promise<void>;
}

export interface RedisGroupOptions {
  /** Of the servers. */
  readonly password?: string;
  /** Of the sentinels. */
  readonly sentinelPassword?: string;
  /** More lines for the configuration of the servers. */
  readonly config?: readonly string[];
}

const name = 'porthole';

export async function startRedisGroup(options: RedisGroupOptions = {}): Promise<RedisGroup> {
  const { password, sentinelPassword } = options;
  const config = [...(options.config ?? []), ...(password === undefined ? [] : [`masterauth "${password}"`])];
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
  const children: ChildProcess[] = [];
  const killAtExit = () => void children.map((child) => child.kill('SIGKILL'));
  process.once('exit', killAtExit);
  const sentinels = await Promise.all(
    [0, 1, 2].map(async (index) => startSentinel(join(directory, `${index}.conf`))),
  );

  async function startSentinel(file: string): Promise<{ port: number; child: ChildProcess }> {
    const port = await freePort();
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      ...(sentinelPassword === undefined ? [] : [`requirepass "${sentinelPassword}"`]),
      `sentinel monitor ${name} 127.0.0.1 ${first.port} 2`,
      `sentinel down-after-milliseconds ${name} 400`,
      `sentinel failover-timeout ${name} 2000`,
      ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
    ];
    // Sentinels write down in it what they find out.
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
    children.push(child);
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

  /** Enough of them know each other and the replica: from now on they can agree on another leader. */
  await Promise.all(
    sentinels.map(({ port }) =>
      eventually('the sentinels know everybody', async () => {
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
      process.off('exit', killAtExit);
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
