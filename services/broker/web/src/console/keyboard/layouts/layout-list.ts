/** Keyboard layouts that a machine can have: identifiers and names for users. Their keys are in `xkb-layouts.ts`. */
export const layoutNames = {
  us: 'English (US)',
  gb: 'English (UK)',
  de: 'German',
  ch: 'German (Switzerland)',
  fr: 'French',
  'ch-fr': 'French (Switzerland)',
  es: 'Spanish',
  it: 'Italian',
  pt: 'Portuguese',
  br: 'Portuguese (Brazil)',
  pl: 'Polish (programmers)',
  se: 'Swedish',
  no: 'Norwegian',
  dk: 'Danish',
  fi: 'Finnish',
  jp: 'Japanese',
} as const;

export type LayoutId = keyof typeof layoutNames;

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
  return Object.hasOwn(systems, system) && Object.hasOwn(layoutNames, id)
    ? { system: system as System, id: id as LayoutId }
    : undefined;
}
