import type { ControlMessage, Notice, OpeningStep } from '@porthole/shared/protocol/control-messages';
import type { ClipboardDirection } from './session-info.ts';

/**
 * A text frame of the relay as a control message, or undefined: what this page does not know is left aside, so
 * that a newer relay can say more. Checked by hand because a schema library would outweigh the page.
 */
export function parseControlMessage(text: string): ControlMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const { type, position, step, mode, clipboard, token, notice, seconds, extend, by, others } =
    value as Record<string, unknown>;
  switch (type) {
    case 'queued':
      return typeof position === 'number' && Number.isInteger(position) && position > 0
        ? { type, position }
        : undefined;
    case 'opening':
      return isStep(step) ? { type, step } : undefined;
    case 'opened':
      if (mode !== 'view' && mode !== 'control') return undefined;
      return isWays(clipboard) ? { type, mode, clipboard } : { type, mode };
    case 'resume':
      return typeof token === 'string' && grantToken.test(token) ? { type, token } : undefined;
    case 'notice':
      return isNotice(notice) && isSeconds(seconds) && typeof extend === 'boolean'
        ? { type, notice, seconds, extend }
        : undefined;
    case 'notice_over':
      return isNotice(notice) ? { type, notice } : undefined;
    case 'observers':
      return isNames(by) && isCount(others) ? { type, by, others } : undefined;
    case 'moving':
    case 'pong':
      return { type };
    default:
      return undefined;
  }
}

/** Anything else would make the browser refuse the subprotocol. */
const grantToken = /^[\w-]{1,200}$/;

// As a record, so that the compiler misses a step that was added to the contract and not here.
const steps: Record<OpeningStep, true> = { status: true, console: true, connect: true, authenticate: true };

function isStep(value: unknown): value is OpeningStep {
  return typeof value === 'string' && Object.hasOwn(steps, value);
}

const known: Record<Notice, true> = { idle: true, time: true };

function isNotice(value: unknown): value is Notice {
  return typeof value === 'string' && Object.hasOwn(known, value);
}

const ways: Record<ClipboardDirection, true> = { both: true, in: true, out: true, none: true };

function isWays(value: unknown): value is ClipboardDirection {
  return typeof value === 'string' && Object.hasOwn(ways, value);
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
