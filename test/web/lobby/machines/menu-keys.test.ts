import { menuItemForKey } from '../../../../services/broker/web/src/lobby/machines/menu-keys.ts';

describe('keys in a menu', () => {
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
