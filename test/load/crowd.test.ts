import { describeWith } from '../needs.ts';
import { measureCrowd, reportCrowd } from './crowd.ts';

/** Says nothing about speed. `npm run bench -- --only broker` does the same with a thousand people. */
describeWith('redis')('a crowd at the broker', () => {
  test('is served without an error, and Proxmox is asked once for all of them', async () => {
    const crowd = await measureCrowd({ users: 60, grants: 20, seconds: 4, machines: 40 });
    expect(crowd.errors).toBe(0);
    expect(crowd.lists.length).toBeGreaterThanOrEqual(60);
    expect(crowd.grants).toHaveLength(20);
    expect(crowd.listCalls).toBeGreaterThan(0);
    expect(crowd.listCalls).toBeLessThanOrEqual(crowd.mostListCalls);
    expect(reportCrowd(crowd)).not.toContain('NaN');
  }, 120_000);
});
