import { typeCharacter } from '../../../../services/broker/web/src/console/keyboard/text-entry.ts';

describe('text entry', () => {
  const typed = (character: string) => {
    const keys: unknown[] = [];
    typeCharacter({ sendKey: (...key) => void keys.push(key) }, character);
    return keys;
  };

  test('a capital letter is its key with Shift', () => {
    expect(typed('A')).toEqual([
      [0xffe1, 'ShiftLeft', true],
      [0x41, 'KeyA'],
      [0xffe1, 'ShiftLeft', false],
    ]);
  });

  test('a character that a US keyboard lacks is sent as its keysym', () => {
    expect(typed('é')).toEqual([[0xe9, '']]);
    expect(typed('€')).toEqual([[0x010020ac, '']]);
  });

  test('a line break is sent as Enter', () => {
    expect(typed('\n')).toEqual([[0xff0d, 'Enter']]);
  });
});
