import { describeWith } from '../needs.ts';
import { measureBrokerLoad, reportBrokerLoad } from './broker-load.ts';

/** Asserts no figures. `npm run bench -- --only broker` does the same with 1000 users. */
describeWith('redis')('a broker under load', () => {
  test('gets no error, and Proxmox gets one request for all users', async () => {
    const load = await measureBrokerLoad({ users: 60, grants: 20, seconds: 4, machines: 40 });
    expect(load.errors).toBe(0);
    expect(load.lists.length).toBeGreaterThanOrEqual(60);
    expect(load.grants).toHaveLength(20);
    expect(load.listCalls).toBeGreaterThan(0);
    expect(load.listCalls).toBeLessThanOrEqual(load.maxListCalls);
    expect(reportBrokerLoad(load)).not.toContain('NaN');
  }, 120_000);
});
