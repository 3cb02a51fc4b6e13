import type { ControlMessage } from '@porthole/shared/protocol/control-messages';

/** What the relay has told about control of the machine. Undefined: no user has taken it, so all can type. */
export type ControlInfo = UserHasControl | undefined;

export interface UserHasControl {
  /** Whether it is this session. Otherwise, its input does not reach the machine. */
  readonly mine: boolean;
  /** Whether it is another session of the same user. */
  readonly elsewhere: boolean;
  readonly by: string | undefined;
  /** Whether the user may ask for control. */
  readonly ask: boolean;
  /** Who has asked this session for control. */
  readonly askedBy: string | undefined;
}

export type AboutControl = Extract<
  ControlMessage,
  { readonly type: 'controlled' | 'uncontrolled' | 'control_asked' }
>;

export function applyControlMessage(info: ControlInfo, message: AboutControl): ControlInfo {
  switch (message.type) {
    case 'controlled': {
      const { mine, elsewhere = false, by, ask = false } = message;
      return { mine, elsewhere, by, ask, askedBy: undefined };
    }
    case 'uncontrolled':
      return undefined;
    case 'control_asked':
      return info?.mine ? { ...info, askedBy: message.by } : info;
    default:
      return message satisfies never;
  }
}

/** Parses a control message about control of the machine. Undefined for any other. */
export function parseAboutControl(value: Readonly<Record<string, unknown>>): AboutControl | undefined {
  const { type, mine, elsewhere, by, ask } = value;
  switch (type) {
    case 'controlled':
      if (typeof mine !== 'boolean') return undefined;
      return {
        type,
        mine,
        ...(typeof by === 'string' ? { by } : {}),
        ...(ask === true ? { ask } : {}),
        ...(elsewhere === true ? { elsewhere } : {}),
      };
    case 'uncontrolled':
      return { type };
    case 'control_asked':
      return typeof by === 'string' ? { type, by } : undefined;
    default:
      return undefined;
  }
}
