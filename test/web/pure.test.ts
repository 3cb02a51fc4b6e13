import * as fc from 'fast-check';
import type { Machine } from '../../services/broker/web/src/api.ts';
import { consolePath, parseConsolePath, safeReturnPath } from '../../services/broker/web/src/paths.ts';
import {
  sortMachines,
  matchesMachine,
  statusChanges,
} from '../../services/broker/web/src/lobby/machines/sort-machines.ts';
import { menuItemForKey } from '../../services/broker/web/src/lobby/machines/menu-keys.ts';
import { parseControlMessage } from '../../services/broker/web/src/console/connection/parse-control-message.ts';
import { typeCharacter } from '../../services/broker/web/src/console/keyboard/text-entry.ts';
import { listProblem, listMissingText, staleText } from '../../services/broker/web/src/texts/machines.ts';
import { aMachine } from './site.ts';

describe('addresses', () => {
  test('every console has an address that leads back to it', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text !== '.' && text !== '..'),
        fc.integer({ min: 100, max: 999_999_999 }),
        fc.constantFrom('control' as const, 'view' as const),
        fc.constantFrom('screen' as const, 'terminal' as const),
        (cluster, vmid, mode, kind) => {
          const url = new URL(consolePath(cluster, vmid, mode, kind), 'https://porthole.example');
          expect(parseConsolePath(url.pathname, url.search)).toEqual({ cluster, vmid, mode, kind });
        },
      ),
    );
  });

  test.each([
    'https://evil.example/console/lab/1',
    '//evil.example/console/lab/1',
    '/\\evil.example/console/lab/1',
    '/console/../../evil',
    '/console/lab/1x',
    'javascript:alert(1)',
    '/api/v1/logout',
    '',
    null,
  ])('%p is nowhere to return to', (wanted) => {
    expect(safeReturnPath(wanted, 'https://porthole.example')).toBeUndefined();
  });

  test('a return path never leaves the origin', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const path = safeReturnPath(`/console/${text}`, 'https://porthole.example');
        if (path === undefined) return;
        expect(new URL(path, 'https://porthole.example').origin).toBe('https://porthole.example');
      }),
    );
    expect(safeReturnPath('/console/lab/7?mode=view', 'https://porthole.example')).toBe(
      '/console/lab/7?mode=view',
    );
  });
});

describe('the list', () => {
  const listed = (name: string, status: string, vmid: number): Machine => aMachine({ name, status, vmid });

  test('running ones come first, then names as people count', () => {
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
  ])('a search for %p finds it: %p', (search, found) => {
    const machine = aMachine({ name: 'web-1', vmid: 104, tags: ['linux', 'week-3'], pool: 'networks-2026' });
    expect(matchesMachine(machine, search)).toBe(found);
  });

  test('only a machine that was there before can change its status', () => {
    const before = [listed('a', 'running', 1), listed('b', 'running', 2)];
    const after = [listed('a', 'stopped', 1), listed('b', 'running', 2), listed('c', 'running', 3)];
    expect(statusChanges(before, after).map(({ name }) => name)).toEqual(['a']);
  });
});

describe('what is said about a list', () => {
  test.each([
    [{ staleSeconds: 1 }, /^Proxmox .* a second ago;/],
    [{ staleSeconds: 59 }, /^Proxmox .* 59 seconds ago;/],
    [{ staleSeconds: 60 }, /^Proxmox .* a minute ago;/],
    [{ staleSeconds: 599, incomplete: true }, /^Proxmox .* 9 minutes ago; .*Some machines are missing/],
    [{ incomplete: true }, /^A part of Proxmox .*Some machines are missing/],
  ])('that is out of date, %j', (list, text) => {
    expect(staleText(list)).toMatch(text);
  });

  test('that does not come names the part that failed', () => {
    const code = 'proxmox_unreachable';
    expect(listProblem({ code })).toMatch(/^Proxmox /);
    expect(listProblem({ code: 'network' })).toMatch(/^Porthole /);
    expect(listMissingText({ code, title: 'Proxmox can not be reached.' })).toMatch(
      /^Proxmox can not be reached\. /,
    );
    expect(listMissingText({ code: 'store_unavailable' })).toMatch(/^Porthole /);
  });
});

describe('the keys of a menu', () => {
  const labels = ['Open console', 'Open in new window', 'View only'];
  const press = (key: string, at: number) =>
    menuItemForKey({ key, ctrlKey: false, metaKey: false, altKey: false }, at, labels);

  test.each([
    ['ArrowDown', 2, 0],
    ['ArrowUp', 0, 2],
    ['Home', 2, 0],
    ['End', 0, 2],
    ['v', 0, 2],
    ['o', 0, 1],
    ['o', 1, 0],
    ['x', 0, undefined],
    ['Enter', 0, undefined],
  ])('%s on entry %p leads to %p', (key, at, target) => {
    expect(press(key, at)).toBe(target);
  });
});

describe('control messages', () => {
  test.each([
    { type: 'queued', position: 3 },
    { type: 'opening', step: 'authenticate' },
    { type: 'opened', mode: 'view' },
  ])('%p is understood', (message) => {
    expect(parseControlMessage(JSON.stringify(message))).toEqual(message);
  });

  test('nothing that comes can break the page', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseControlMessage(text)).not.toThrow();
      }),
    );
    expect(parseControlMessage('{"type":"opening","step":"toString"}')).toBeUndefined();
    expect(parseControlMessage('{"type":"queued","position":0}')).toBeUndefined();
    expect(parseControlMessage('{"type":"something newer"}')).toBeUndefined();
    expect(parseControlMessage('{"type":"resume","token":"not a, subprotocol"}')).toBeUndefined();
    expect(
      parseControlMessage('{"type":"notice","notice":"idle","seconds":-1,"extend":true}'),
    ).toBeUndefined();
    expect(parseControlMessage('{"type":"notice_over","notice":"valueOf"}')).toBeUndefined();
  });
});

describe('typing', () => {
  const typed = (character: string) => {
    const keys: unknown[] = [];
    typeCharacter({ sendKey: (...key) => void keys.push(key) }, character);
    return keys;
  };

  test('a capital is its key with Shift around it', () => {
    expect(typed('A')).toEqual([
      [0xffe1, 'ShiftLeft', true],
      [0x41, 'KeyA'],
      [0xffe1, 'ShiftLeft', false],
    ]);
  });

  test('a character beyond a US keyboard goes by its keysym', () => {
    expect(typed('é')).toEqual([[0xe9, '']]);
    expect(typed('€')).toEqual([[0x010020ac, '']]);
  });

  test('a line break is Enter', () => {
    expect(typed('\n')).toEqual([[0xff0d, 'Enter']]);
  });
});
