import { createMachineList } from '@porthole/broker/machines/machine-list';
import type { Machine } from '@porthole/broker/machines/machine';
import { PortholeError } from '@porthole/shared/errors';
import { createFakeClock } from '../../fakes/clock.ts';

describe('the machine list of a cluster', () => {
  const one: Machine = {
    cluster: 'school',
    node: 'pve1',
    type: 'qemu',
    vmid: 101,
    name: 'lab-anna',
    status: 'running',
    tags: [],
    pool: undefined,
  };

  function aList(answers: () => Promise<readonly Machine[]>) {
    const clock = createFakeClock();
    const refreshes: (string | undefined)[] = [];
    let calls = 0;
    const list = createMachineList({
      clock,
      listMachines: () => {
        calls++;
        return answers();
      },
      onRefresh: (error) => refreshes.push(error?.code),
    });
    return { clock, list, refreshes, calls: () => calls };
  }
  const away = () => Promise.reject(new PortholeError('proxmox_unreachable'));

  test('is requested again after three seconds, and only on demand', async () => {
    const { clock, list, calls } = aList(async () => [one]);
    await list.latest();
    clock.advance(2999);
    await list.latest();
    expect(calls()).toBe(1);
    clock.advance(1);
    await list.latest();
    expect(calls()).toBe(2);
    clock.advance(3_600_000);
    expect(calls()).toBe(2);
    expect(clock.pending()).toBe(0);
  });

  test('is not requested again right after a failure', async () => {
    const { clock, list, calls, refreshes } = aList(away);
    for (let i = 0; i < 10; i++)
      await expect(list.latest()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(calls()).toBe(1);
    clock.advance(3000);
    await expect(list.fresh()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(refreshes).toEqual(['proxmox_unreachable', 'proxmox_unreachable']);
  });

  test('is stale for ten minutes, and missing after that', async () => {
    let answer: () => Promise<readonly Machine[]> = async () => [one];
    const { clock, list } = aList(() => answer());
    await list.latest();
    answer = away;
    clock.advance(10 * 60_000 - 1);
    expect(await list.latest()).toEqual({ machines: [one], stale: true });
    clock.advance(3000);
    await expect(list.latest()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('is good enough for display when stale, and not for decisions', async () => {
    let answer: () => Promise<readonly Machine[]> = async () => [one];
    const { clock, list } = aList(() => answer());
    await list.latest();
    answer = away;
    clock.advance(3000);
    expect((await list.latest()).stale).toBe(true);
    await expect(list.fresh()).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('is shown within two seconds if there is an old one and Proxmox does not answer', async () => {
    let answer: () => Promise<readonly Machine[]> = async () => [one];
    const { clock, list, calls } = aList(() => answer());
    await list.latest();
    const slow = Promise.withResolvers<readonly Machine[]>();
    answer = () => slow.promise;
    clock.advance(3000);
    const requests = [list.latest(), list.latest()];
    clock.advance(2000);
    expect(await Promise.all(requests)).toEqual([
      { machines: [one], stale: true },
      { machines: [one], stale: true },
    ]);
    expect(calls()).toBe(2);
    slow.resolve([]);
    expect(await list.fresh()).toEqual([]);
  });

  test('knows its age', async () => {
    const { clock, list } = aList(async () => [one]);
    expect(list.ageSeconds()).toBeUndefined();
    await list.latest();
    clock.advance(42_000);
    expect(list.ageSeconds()).toBe(42);
  });
});
