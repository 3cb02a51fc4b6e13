import { spawnSync } from 'node:child_process';
import { startRedisServer, type RedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { commandsOf } from './command-checks.ts';

describeWith('redis')('documented redis-cli commands', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.stop());

  test.each(commandsOf('redis-cli'))('$page: $line', ({ line }) => {
    const [, ...args] = line.split(' ');
    const { stdout } = spawnSync('redis-cli', ['-p', String(redis.port), ...args], { encoding: 'utf8' });
    expect(stdout.toLowerCase()).toContain(`# ${args.at(-1)}`);
  });
});
