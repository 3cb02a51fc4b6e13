import type { ControlMessage, OpeningStep } from '@porthole/shared/control-messages';

/**
 * A text frame of the relay as a control message, or undefined: what this page does not know is left aside, so
 * that a newer relay can say more. Checked by hand because a schema library would outweigh the page.
 */
export function parseControl(text: string): ControlMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const { type, position, step, mode } = value as Record<string, unknown>;
  switch (type) {
    case 'queued':
      return typeof position === 'number' && Number.isInteger(position) && position > 0
        ? { type, position }
        : undefined;
    case 'opening':
      return isStep(step) ? { type, step } : undefined;
    case 'opened':
      return mode === 'view' || mode === 'control' ? { type, mode } : undefined;
    default:
      return undefined;
  }
}

// As a record, so that the compiler misses a step that was added to the contract and not here.
const steps: Record<OpeningStep, true> = { status: true, console: true, connect: true, authenticate: true };

function isStep(value: unknown): value is OpeningStep {
  return typeof value === 'string' && Object.hasOwn(steps, value);
}
