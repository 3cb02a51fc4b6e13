import type { Machine } from '../../../../services/broker/web/src/api.ts';
import {
  matchesMachine,
  sortMachines,
  statusChanges,
} from '../../../../services/broker/web/src/lobby/machines/sort-machines.ts';
import { aMachine } from '../../site-data.ts';

describe('the list of machines', () => {
  const listed = (name: string, status: string, vmid: number): Machine => aMachine({ name, status, vmid });

  test('running machines come first, then names with numbers in order', () => {
    const machines = [
      listed('web-10', 'running', 1),
      listed('alpha', 'stopped', 2),
      listed('web-2', 'running', 3),
      listed('web-2', 'running', 1),
    ];
    expect(sortMachines(machines).map(({ name, vmid }) => `${name}/${vmid}`)).toEqual([
      'web-2/1',
      'web-2/3',
      'web-10/1',
      'alpha/2',
    ]);
  });

  test.each([
    ['WEB', true],
    ['104', true],
    ['week-3', true],
    ['networks', true],
    ['web linux', true],
    ['web windows', false],
    ['', true],
  ])('a search for %p finds the machine: %p', (search, found) => {
    const machine = aMachine({ name: 'web-1', vmid: 104, tags: ['linux', 'week-3'], pool: 'networks-2026' });
    expect(matchesMachine(machine, search)).toBe(found);
  });

  test('only a machine that was listed before can change its status', () => {
    const before = [listed('a', 'running', 1), listed('b', 'running', 2)];
    const after = [listed('a', 'stopped', 1), listed('b', 'running', 2), listed('c', 'running', 3)];
    expect(statusChanges(before, after).map(({ name }) => name)).toEqual(['a']);
  });
});
