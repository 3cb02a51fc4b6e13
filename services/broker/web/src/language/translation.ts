import type { CompiledMessage } from 'icu-minify/format';
import type { CloseName } from '@porthole/shared/protocol/close-codes';
import type { ErrorCode } from '@porthole/shared/errors';
import type { MessageKey, Messages } from './messages/en.ts';

/** A file of `messages/` for another language than English. */
export interface Translation {
  readonly messages: Messages;
  /** Texts for the errors of the broker and the relay, which send English. */
  readonly errors: Readonly<Record<ErrorCode, string>>;
  /** Texts for close codes. */
  readonly closes: Readonly<Record<CloseName, string>>;
}

export type CompiledMessages = Readonly<Record<MessageKey, CompiledMessage>>;

/** What the build makes of a translation (compile-messages.ts). */
export interface CompiledTranslation {
  readonly messages: CompiledMessages;
  /** Each error's English text, by which the reason of a close frame is recognised, and its translation. */
  readonly errors: Readonly<Record<string, readonly [english: string, translated: string]>>;
  readonly closes: Readonly<Record<CloseName, string>>;
}
