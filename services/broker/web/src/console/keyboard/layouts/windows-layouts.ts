import type { LayoutId } from './layout-list.ts';

/**
 * How a layout of Windows differs from that of `xkb-layouts.ts`, by key: `KeyE:€` (keys as in `KeyboardEvent.code`). A
 * combining character is a dead key.
 */
export interface WindowsLayout {
  /** What keys type with AltGr, and with Shift and AltGr. Other keys type nothing. */
  readonly altGr: string;
  /** What keys type alone, and with Shift, where that differs. */
  readonly plain?: string;
  /** Its dead keys compose other letters than elsewhere, so they are used with the space bar only. */
  readonly composesOtherLetters?: boolean;
}

const swiss: WindowsLayout = {
  altGr:
    'Digit1:¦ Digit2:@ Digit3:# Digit4:° Digit5:§ Digit6:¬ Digit7:| Digit8:¢ Minus:\u0301 Equal:\u0303 KeyE:€ ' +
    'BracketLeft:[ BracketRight:] Quote:{ Backslash:} IntlBackslash:\\',
};

const nordic =
  'Digit2:@ Digit3:£ Digit4:$ Digit5:€ Digit7:{ Digit8:[ Digit9:] Digit0:} KeyE:€ KeyM:µ BracketRight:\u0303';

const swedish: WindowsLayout = { altGr: `${nordic} Minus:\\ IntlBackslash:|` };

/**
 * The layouts that Windows has under these names. Windows has fewer AltGr characters than Linux, some on other keys, and more
 * dead keys.
 */
export const windowsLayouts: Readonly<Record<LayoutId, WindowsLayout>> = {
  us: { altGr: '' },
  gb: { altGr: 'Backquote:¦ Digit4:€ KeyA:áÁ KeyE:éÉ KeyI:íÍ KeyO:óÓ KeyU:úÚ' },
  de: {
    altGr:
      'Digit2:² Digit3:³ Digit7:{ Digit8:[ Digit9:] Digit0:} Minus:\\ KeyQ:@ KeyE:€ BracketRight:~ KeyM:µ ' +
      'IntlBackslash:|',
  },
  ch: swiss,
  'ch-fr': swiss,
  fr: {
    altGr:
      'Digit2:\u0303 Digit3:# Digit4:{ Digit5:[ Digit6:| Digit7:\u0300 Digit8:\\ Digit9:^ Digit0:@ Minus:] Equal:} ' +
      'KeyE:€ BracketRight:¤',
    plain: 'Backquote:²',
  },
  es: {
    altGr:
      'Backquote:\\ Digit1:| Digit2:@ Digit3:# Digit4:\u0303 Digit6:¬ KeyE:€ BracketLeft:[ BracketRight:] Quote:{ ' +
      'Backslash:}',
  },
  it: { altGr: 'KeyE:€ BracketLeft:[{ BracketRight:]} Semicolon:@ Quote:#' },
  pt: {
    altGr: 'Digit2:@ Digit3:£ Digit4:§ Digit7:{ Digit8:[ Digit9:] Digit0:} KeyE:€ BracketLeft:\u0308',
  },
  br: {
    altGr: 'Digit1:¹ Digit2:² Digit3:³ Digit4:£ Digit5:¢ Digit6:¬ Equal:§ KeyE:° BracketRight:ª Backslash:º',
  },
  pl: {
    altGr: 'KeyE:ęĘ KeyU:€ KeyO:óÓ KeyA:ąĄ KeyS:śŚ KeyL:łŁ KeyZ:żŻ KeyX:źŹ KeyC:ćĆ KeyN:ńŃ',
    plain: 'Backquote:`\u0303',
    composesOtherLetters: true,
  },
  se: swedish,
  fi: swedish,
  no: { altGr: `${nordic} Equal:\u0301` },
  dk: { altGr: `${nordic} Equal:| IntlBackslash:\\` },
  jp: { altGr: '', plain: 'Digit0:0' },
};
