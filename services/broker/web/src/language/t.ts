import type { GetICUArgs } from '@schummar/icu-type-parser';
import format, { type CompiledMessage, type FormatOptions } from 'icu-minify/format';
import { currentTranslation } from './current-language.ts';
import { locale } from './locale.ts';
import { en, type MessageKey } from './messages/en.ts';

type Parameters<Key extends MessageKey> = GetICUArgs<
  (typeof en)[Key],
  { ICUNumberArgument: number; ICUArgument: string | number }
>;

type Values<Key extends MessageKey> = keyof Parameters<Key> extends never ? [] : [values: Parameters<Key>];

/** Messages without parameters. */
export type PlainKey = {
  [Key in MessageKey]: keyof Parameters<Key> extends never ? Key : never;
}[MessageKey];

const compiledEnglish = en as unknown as Readonly<Record<MessageKey, CompiledMessage>>;

const formatters: FormatOptions['formatters'] = {
  getNumberFormat: (...args) => new Intl.NumberFormat(...args),
  getPluralRules: (...args) => new Intl.PluralRules(...args),
  getDateTimeFormat: (...args) => new Intl.DateTimeFormat(...args),
};

/** A message in the current language. Call it when the text is shown, because users can change the language. */
export function t<Key extends MessageKey>(key: Key, ...[values]: Values<Key>): string {
  const messages = currentTranslation()?.messages ?? compiledEnglish;
  return format(messages[key], locale(), values as Record<string, string | number> | undefined, {
    formatters,
  }) as string;
}
