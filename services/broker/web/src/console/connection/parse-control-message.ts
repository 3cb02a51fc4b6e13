import type { ControlMessage, Notice, OpeningStep } from '@porthole/shared/protocol/control-messages';
import { parseClassMessage } from '../class/parse-class-message.ts';
import { parseAboutControl } from '../control/control-info.ts';
import type { ClipboardDirection } from './session-info.ts';

/**
 * Parses a text frame of the relay. Returns undefined for a message that this page does not know, so that a newer
 * relay can send more. Checked by hand because a schema library would be larger than the rest of the page.
 */
export function parseControlMessage(text: string): ControlMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const {
    type,
    position,
    waitSeconds,
    step,
    mode,
    clipboard,
    token,
    notice,
    seconds,
    extend,
    by,
    others,
    state,
    parking,
    help,
    recorded,
  } = value as Record<string, unknown>;
  switch (type) {
    case 'queued':
      if (!isCount(position) || position === 0) return undefined;
      return isSeconds(waitSeconds) ? { type, position, waitSeconds } : { type, position };
    case 'opening':
      return isOpeningStep(step) ? { type, step } : undefined;
    case 'opened':
      if (mode !== 'view' && mode !== 'control') return undefined;
      return {
        type,
        mode,
        ...(isClipboardDirection(clipboard) ? { clipboard } : {}),
        ...(parking === true ? { parking } : {}),
        ...(help === true ? { help } : {}),
        ...(typeof recorded === 'boolean' ? { recorded } : {}),
      };
    case 'resume':
      return typeof token === 'string' && grantToken.test(token) ? { type, token } : undefined;
    case 'notice':
      return isNotice(notice) && isSeconds(seconds) && typeof extend === 'boolean'
        ? { type, notice, seconds, extend }
        : undefined;
    case 'notice_over':
      return isNotice(notice) ? { type, notice } : undefined;
    case 'observers':
      return isStringArray(by) && isCount(others) ? { type, by, others } : undefined;
    case 'screen':
      return state === 'reconnecting' || state === 'live' ? { type, state } : undefined;
    case 'unanswered':
    case 'answers':
    case 'parked':
    case 'not_recorded':
    case 'moving':
    case 'pong':
      return { type };
    default:
      return parseClassMessage(value) ?? parseAboutControl(value);
  }
}

/** The browser refuses other characters in a subprotocol. */
const grantToken = /^[\w-]{1,200}$/;

// A record, so that the compiler reports a step that was added to the protocol and not here.
const openingSteps: Record<OpeningStep, true> = {
  status: true,
  console: true,
  connect: true,
  authenticate: true,
};

function isOpeningStep(value: unknown): value is OpeningStep {
  return typeof value === 'string' && Object.hasOwn(openingSteps, value);
}

const notices: Record<Notice, true> = { idle: true, time: true, class: true };

function isNotice(value: unknown): value is Notice {
  return typeof value === 'string' && Object.hasOwn(notices, value);
}

const clipboardDirections: Record<ClipboardDirection, true> = { both: true, in: true, out: true, none: true };

function isClipboardDirection(value: unknown): value is ClipboardDirection {
  return typeof value === 'string' && Object.hasOwn(clipboardDirections, value);
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
