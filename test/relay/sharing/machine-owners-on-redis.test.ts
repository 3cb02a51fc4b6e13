import { startRedisServer } from '../../fakes/redis-server.ts';
import { describeWith } from '../../needs.ts';
import { redisStoreUnderTest } from '../../shared/store/redis/store-under-test.ts';
import { describeMachineOwners } from './describe-machine-owners.ts';

describeWith('redis')('with a real server', () => {
  describeMachineOwners('owner records on Redis', async () => {
    const server = await startRedisServer();
    return redisStoreUnderTest({ mode: 'standalone', url: server.url }, server);
  });
});
