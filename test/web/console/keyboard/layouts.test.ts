import { readFileSync } from 'node:fs';
import {
  buildStrokes,
  type Strokes,
} from '../../../../services/broker/web/src/console/keyboard/layouts/build-strokes.ts';
import {
  layoutLanguages,
  type LayoutId,
} from '../../../../services/broker/web/src/console/keyboard/layouts/layout-list.ts';
import { xkbVersion as tableVersion } from '../../../../services/broker/web/src/console/keyboard/layouts/xkb-layouts.ts';
import {
  missingCharacters,
  typeCharacter,
} from '../../../../services/broker/web/src/console/keyboard/text-entry.ts';
import { describeWhere } from '../../../fakes/guests/availability.ts';
import { decodeKeys, evdevCodes, type KeyEvent } from '../../../keyboard/decode-keys.ts';
import { renderLayouts, tableFile, xkbVersion } from '../../../keyboard/xkb-layouts.ts';
import { describeWith } from '../../../needs.ts';

const ids = Object.keys(layoutLanguages) as LayoutId[];

function keysOf(strokes: Strokes, text: string): KeyEvent[] {
  const keys: KeyEvent[] = [];
  const press = (code: string, down: boolean) => {
    const evdev = evdevCodes.get(code);
    if (evdev === undefined) throw new Error(`${code} is no key`);
    keys.push([evdev, down]);
  };
  const sendKey = (_keysym: number, code: string, down?: boolean) => {
    if (down === undefined) [true, false].forEach((each) => press(code, each));
    else press(code, down);
  };
  for (const character of text) typeCharacter({ sendKey }, strokes, character);
  return keys;
}

/** Texts that a user of the layout writes. */
const samples: Readonly<Record<LayoutId, string>> = {
  us: `cat ~/.ssh/id* | grep "a\\b" && echo {x,y}[0] <'in' >out; ^C @#$%`,
  gb: `£5 or €6 ¬| ~#@\\ "Café"`,
  de: 'Größe: 5 € für {a[0]} | ~\\ @"§" ^° é è ê „Zitat“ – …',
  ch: 'Zürich - für 5 Franken: à la carte, ça va? {[@#|\\]} ~ ^ ` é è ö Ö Ä Ü ñ',
  fr: 'Où est le « garçon » ? À 5 € : {[|`\\^@]} ~ # é è ê ë Ê ù',
  'ch-fr': 'Zürich: à la carte, ça va? {[@#|\\]} ~ ^ ` é è ö Ö Ä Ü ñ',
  es: '¿Dónde está el niño? ¡Aquí! {[@#|\\]} ~ ^ ` ü Ü ç º ª €',
  it: 'Perché costa 5 €? Così è: {[@#\\|]} ~ ` ^ ù ò à ì È é',
  pt: 'Não há pão à venda: «5 €» {[@#|\\]} ~ ^ ` ç õ ê ü',
  br: 'Não há pão à venda: {[@#|\\]} ~ ^ ` ç õ ê ü / ? ´',
  pl: 'Zażółć gęślą jaźń ZAŻÓŁĆ 5 € ~ ` {[@#|\\]} „tak” – nie',
  se: 'Åäö 5 € {[@#|\\]} ~ ^ ` é ü $ £ "§"',
  no: 'Æøå 5 € {[@#|\\]} ~ ^ ` é ü $ £ "§"',
  dk: 'Æøå 5 € {[@#|\\]} ~ ^ ` é ü $ £ "§" ½',
  fi: 'Åäö 5 € {[@#|\\]} ~ ^ ` é ü $ £ "§" ”lainaus”',
  jp: `a@b.jp: {[#|\\]} ~ ^ \` "'=+*_&()<>?`,
};

describeWith('xkbcommon')('libxkbcommon, which knows nothing of the table,', () => {
  test('decodes every character of every layout for Linux from its keys', () => {
    const typed = ids.map((id) => {
      const strokes = buildStrokes({ id, system: 'linux' });
      return { id, strokes, text: [...strokes.keys()].join('') };
    });
    const decoded = decodeKeys(typed.map(({ id, strokes, text }) => [id, keysOf(strokes, text)]));
    expect(Object.fromEntries(ids.map((id, index) => [id, decoded[index]]))).toEqual(
      Object.fromEntries(typed.map(({ id, text }) => [id, text])),
    );
  });

  test('decodes what users of each layout write', () => {
    for (const id of ids)
      expect([id, ...missingCharacters(samples[id], buildStrokes({ id, system: 'linux' }))]).toEqual([id]);
    const decoded = decodeKeys(
      ids.map((id) => [id, keysOf(buildStrokes({ id, system: 'linux' }), samples[id])]),
    );
    expect(decoded).toEqual(ids.map((id) => samples[id]));
  });
});

describe('the layouts', () => {
  test('of Linux type all of ASCII', () => {
    const ascii = Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index));
    for (const id of ids) {
      const strokes = buildStrokes({ id, system: 'linux' });
      expect([id, ascii.filter((each) => !strokes.has(each))]).toEqual([id, []]);
    }
  });

  test('of Windows type all of ASCII, except two characters of the Italian one', () => {
    const ascii = Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index));
    for (const id of ids) {
      const strokes = buildStrokes({ id, system: 'windows' });
      expect([id, ascii.filter((each) => !strokes.has(each))]).toEqual([id, id === 'it' ? ['`', '~'] : []]);
    }
  });

  test('of Windows use dead keys where those of Linux do not', () => {
    const codes = (system: 'linux' | 'windows', id: LayoutId, character: string) =>
      buildStrokes({ id, system })
        .get(character)
        ?.map(({ code, shift, altGr }) => `${altGr ? 'AltGr+' : ''}${shift ? 'Shift+' : ''}${code}`);
    expect(codes('linux', 'fr', '~')).toEqual(['Shift+Backquote']);
    expect(codes('windows', 'fr', '~')).toEqual(['AltGr+Digit2', 'Space']);
    expect(codes('linux', 'pl', '~')).toEqual(['Shift+Backquote']);
    expect(codes('windows', 'pl', '~')).toEqual(['Shift+Backquote', 'Space']);
    expect(codes('windows', 'es', 'ñ')).toEqual(['Semicolon']);
    expect(codes('windows', 'gb', 'é')).toEqual(['AltGr+KeyE']);
  });

  test('of Windows do not offer what only Linux has', () => {
    const german = buildStrokes({ id: 'de', system: 'windows' });
    expect(Array.from('„“–…ñ').filter((each) => german.has(each))).toEqual([]);
    expect(Array.from('äöüß€@{[]}\\|~²³µéèê´').filter((each) => !german.has(each))).toEqual([]);
    expect(buildStrokes({ id: 'pl', system: 'windows' }).has('ã')).toBe(false);
  });
});

const found = xkbVersion();
const version = 'version' in found ? found.version : undefined;
const why =
  'missing' in found
    ? found.missing
    : `the table is of xkeyboard-config ${tableVersion}, and ${found.version} is installed`;

describeWhere(version === tableVersion, why)('the table of layouts', () => {
  test('is what `npm run keyboard:layouts` makes', async () => {
    expect(readFileSync(tableFile, 'utf8')).toBe(await renderLayouts(tableVersion));
  });
});
