import { startRedisServer } from '../../../fakes/redis-server.ts';
import { describeWith } from '../../../needs.ts';
import { describeStore } from '../contract/describe-store.ts';
import { redisStoreUnderTest } from './store-under-test.ts';

describeWith('redis')('with a real server', () => {
  describeStore('the store on Redis', async () => {
    const server = await startRedisServer();
    return redisStoreUnderTest({ mode: 'standalone', url: server.url }, server);
  });
});
