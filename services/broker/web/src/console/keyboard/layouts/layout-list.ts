/** Keyboard layouts that a machine can have: identifiers and languages. Their keys are in `xkb-layouts.ts`. */
export const layoutLanguages = {
  us: 'en-US',
  gb: 'en-GB',
  de: 'de',
  ch: 'de-CH',
  fr: 'fr',
  'ch-fr': 'fr-CH',
  es: 'es',
  it: 'it',
  pt: 'pt',
  br: 'pt-BR',
  pl: 'pl',
  se: 'sv',
  no: 'no',
  dk: 'da',
  fi: 'fi',
  jp: 'ja',
} as const;

export type LayoutId = keyof typeof layoutLanguages;

/** Layouts of the same name differ in their AltGr characters and dead keys. */
export const systems = { linux: 'Linux', windows: 'Windows' } as const;

export type System = keyof typeof systems;

/** The layout in a machine. */
export interface GuestLayout {
  readonly id: LayoutId;
  readonly system: System;
}

export const defaultLayout: GuestLayout = { id: 'us', system: 'linux' };

/** As text, for a store and for `<option>`. */
export const layoutKey = ({ id, system }: GuestLayout): string => `${system}:${id}`;

export function parseLayoutKey(text: string): GuestLayout | undefined {
  const [system = '', id = ''] = text.split(':');
  return Object.hasOwn(systems, system) && Object.hasOwn(layoutLanguages, id)
    ? { system: system as System, id: id as LayoutId }
    : undefined;
}
