import { describeWith } from '../needs.ts';
import { measureCrowd, reportCrowd } from './crowd.ts';

/** Asserts no figures. `npm run bench -- --only broker` does the same with 1000 users. */
describeWith('redis')('a crowd at the broker', () => {
  test('gets no error, and Proxmox gets one request for all users', async () => {
    const crowd = await measureCrowd({ users: 60, grants: 20, seconds: 4, machines: 40 });
    expect(crowd.errors).toBe(0);
    expect(crowd.lists.length).toBeGreaterThanOrEqual(60);
    expect(crowd.grants).toHaveLength(20);
    expect(crowd.listCalls).toBeGreaterThan(0);
    expect(crowd.listCalls).toBeLessThanOrEqual(crowd.mostListCalls);
    expect(reportCrowd(crowd)).not.toContain('NaN');
  }, 120_000);
});
