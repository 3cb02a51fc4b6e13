import { once } from 'node:events';
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import type { RedisServer } from '../fakes/redis-server.ts';

/** All commands that a Redis server receives, and its contents. */
export interface RedisObserver {
  /** Every command so far with its arguments, as MONITOR reports them. */
  readonly commands: string[];
  /** Every key and its current value. */
  contents(): Promise<string[]>;
  stop(): void;
}

export async function observeRedis(server: RedisServer): Promise<RedisObserver> {
  const commands: string[] = [];
  const monitor = connect(server.port, '127.0.0.1');
  monitor.setEncoding('latin1');
  monitor.write('MONITOR\r\n');
  const [greeting] = (await once(monitor, 'data')) as [string];
  if (!greeting.startsWith('+OK')) throw new Error(`Redis can't be observed: ${greeting}`);
  monitor.on('data', (text: string) => void commands.push(text));
  const admin = new Redis(server.url);

  return {
    commands,
    async contents() {
      const shown: string[] = [];
      for (const key of await admin.keys('*')) {
        const isSet = (await admin.type(key)) === 'zset';
        shown.push(key, ...(isSet ? await admin.zrange(key, '0', '-1') : [(await admin.get(key)) ?? '']));
      }
      return shown;
    },
    stop() {
      monitor.destroy();
      admin.disconnect();
    },
  };
}
