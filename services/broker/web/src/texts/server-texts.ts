import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import type { Problem } from '../api.ts';
import { currentTranslation } from '../language/current-language.ts';
import { t } from '../language/t.ts';
import { sentence } from './status-message.ts';

/**
 * The broker's title of a problem in the current language. A title that this page does not know, for example because it names
 * a user, stays as it is. Undefined: there is none.
 */
export function problemTitle({ code, title = '' }: Pick<Problem, 'code' | 'title'>): string | undefined {
  const errors = currentTranslation()?.errors;
  const known = errors && Object.hasOwn(errors, code) ? errors[code] : undefined;
  if (known && (title === '' || title === known[0])) return known[1];
  return textWithParts(title) ?? sentence(title);
}

/** The reason of a close frame in the current language. It is one of the closed list of texts, or names a user. */
export function closeText(name: CloseName, reason: string): string {
  const translation = currentTranslation();
  if (!translation) return sentence(reason) ?? closeCodes[name].text;
  if (reason === '' || reason === closeCodes[name].text) return translation.closes[name];
  const known = Object.values(translation.errors).find(([english]) => english === reason);
  return known?.[1] ?? textWithParts(reason) ?? sentence(reason) ?? translation.closes[name];
}

const endedBy = /^Ended by (.+)\.$/;

/** The texts of the relay and the broker that belong to no code. */
function textWithParts(text: string): string | undefined {
  const name = endedBy.exec(text)?.[1];
  if (name !== undefined) return t('message.endedBy', { name });
  return text === 'Too much text was pasted at once.' ? t('message.pastedTooMuch') : undefined;
}
