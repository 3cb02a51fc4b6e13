import type { ControlMessage } from '@porthole/shared/protocol/control-messages';

/** What the relay has told about the class of the user. */
export interface ClassInfo {
  readonly paused: Paused | undefined;
  /** The machine that is shown to the class. */
  readonly shown: Shown | undefined;
  /** Messages of instructors, oldest first. */
  readonly messages: readonly ClassMessage[];
  /** Undefined: the user cannot ask for help here. */
  readonly help: Help | undefined;
}

export interface Paused {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly text: string;
  readonly by: string | undefined;
}

export interface Shown {
  readonly cluster: string;
  readonly vmid: number;
  /** Whose machine it is, or its name. */
  readonly name: string;
  readonly by: string | undefined;
  /** It is the machine of this page. */
  readonly mine: boolean;
}

export interface ClassMessage {
  readonly id: string;
  readonly text: string;
  readonly by: string | undefined;
}

export interface Help {
  readonly raised: boolean;
  /** 1 is first. */
  readonly position: number | undefined;
}

/** A user raises or lowers the hand. */
export interface HelpRequest {
  readonly raised: boolean;
  readonly text: string;
}

export const noClassInfo: ClassInfo = { paused: undefined, shown: undefined, messages: [], help: undefined };

const maxMessages = 20;

type AboutClass = Extract<
  ControlMessage,
  { readonly type: 'opened' | 'message' | 'paused' | 'unpaused' | 'shown' | 'not_shown' | 'help' }
>;

/** `now`: milliseconds since the epoch. */
export function applyClassMessage(info: ClassInfo, message: AboutClass, now: number): ClassInfo {
  switch (message.type) {
    case 'opened':
      return { ...info, help: message.help ? { raised: false, position: undefined } : undefined };
    case 'message': {
      const { id, text, by } = message;
      if (info.messages.some((known) => known.id === id)) return info;
      return { ...info, messages: [...info.messages, { id, text, by }].slice(-maxMessages) };
    }
    case 'paused':
      return {
        ...info,
        paused: { until: now + message.seconds * 1000, text: message.text, by: message.by },
      };
    case 'unpaused':
      return { ...info, paused: undefined };
    case 'shown': {
      const { cluster, vmid, name, by, mine } = message;
      return { ...info, shown: { cluster, vmid, name, by, mine } };
    }
    case 'not_shown':
      return { ...info, shown: undefined };
    case 'help':
      return { ...info, help: { raised: message.raised, position: message.position } };
    default:
      return message satisfies never;
  }
}

/**
 * A new connection says what is still true. Messages stay until the user dismisses them, and what is known of the hand
 * stays until the console is open again.
 */
export function forNewConnection({ messages, help }: ClassInfo): ClassInfo {
  return { ...noClassInfo, messages, help };
}
