import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ClientMessage, ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { Answer, Grant } from '../../api.ts';
import { initialState, viewOf, type ConnectionEvent, type Effect } from './state.ts';
import { transition } from './transition.ts';
import type { View } from './view.ts';

/** One WebSocket with its display. After `close` it reports nothing. */
export interface ConsoleSocket {
  send(message: ClientMessage): void;
  /** Finds out soon whether the connection still works. */
  check(): void;
  /** Gives the connection up like a dead one. */
  abandon(): void;
  close(): void;
}

export interface ConsoleSocketEvents {
  onOpen(): void;
  onControlMessage(message: ControlMessage): void;
  /** The display shows the machine's first frame. */
  onFirstFrame(): void;
  onClose(code: number, reason: string): void;
  /** Nothing arrives any more, although the connection was not closed. The socket is already closed. */
  onDead(): void;
}

export interface ConnectionPorts {
  readonly clock: Clock;
  random(): number;
  online(): boolean;
  visible(): boolean;
  /** `reopens` is the id of the session that was open last. `consents`: the user agrees to be recorded. */
  requestGrant(reopens: string | undefined, consents: boolean): Promise<Answer<Grant>>;
  /** The machine's status in the broker's list, `undefined` if it is not listed. */
  machineStatus(): Promise<Answer<string | undefined>>;
  openSocket(grant: Grant, events: ConsoleSocketEvents): ConsoleSocket;
  goToSignIn(): void;
  show(view: View): void;
}

export interface Connection {
  /** Opens the console now, whatever the state: for the first time, "Try now", "Reconnect" and "Open again". */
  open(): void;
  /** Opens the console, and tells the broker that the user agrees to be recorded. */
  openWithConsent(): void;
  /** Postpones the end that a notice announces. */
  extend(): void;
  /** Raises or lowers the user's hand, as soon as the console is open. */
  setHelp(raised: boolean, text: string): void;
  /** Asks the user who has control of the machine to hand it back. */
  askControl(): void;
  /** Closes the connection because the page is being left. */
  stop(): void;
  networkChanged(): void;
  visibilityChanged(): void;
}

/**
 * Keeps a console open. `transition` decides; this part owns the socket and the timer, and does what transitions
 * ask for. It has no DOM and no clock of its own.
 */
export function createConnection(ports: ConnectionPorts): Connection {
  const { clock } = ports;
  const environment = {
    now: () => clock.now(),
    random: () => ports.random(),
    online: () => ports.online(),
    visible: () => ports.visible(),
  };
  let state = initialState;
  let socket: { readonly attempt: number; readonly console: ConsoleSocket } | undefined;
  let timer: { readonly at: number; readonly cancel: Cancel } | undefined;

  function dispatch(event: ConnectionEvent): void {
    const before = state;
    const { state: next, effects } = transition(state, event, environment);
    state = next;
    closeOldSocket();
    setTimer();
    if (state !== before) ports.show(viewOf(state));
    for (const effect of effects) run(effect);
  }

  /** A socket belongs to one attempt. */
  function closeOldSocket(): void {
    if (!socket || socket.attempt === state.attempt) return;
    const old = socket;
    socket = undefined;
    old.console.close();
  }

  function setTimer(): void {
    if (timer?.at === state.timerAt) return;
    timer?.cancel();
    timer = undefined;
    if (state.timerAt === undefined) return;
    const fire = () => {
      timer = undefined;
      dispatch({ type: 'timer' });
    };
    timer = { at: state.timerAt, cancel: clock.after(Math.max(0, state.timerAt - clock.now()), fire) };
  }

  function run(effect: Effect): void {
    const { attempt, poll } = state;
    switch (effect.type) {
      case 'request-grant':
        void ports
          .requestGrant(state.lastOpened, state.consents)
          .then((answer) => dispatch({ type: 'grant-answered', attempt, answer }));
        break;
      case 'open-socket':
        socket = { attempt, console: ports.openSocket(effect.grant, eventsOf(attempt)) };
        break;
      case 'poll-machine':
        void ports
          .machineStatus()
          .then((answer) => dispatch({ type: 'status-answered', attempt, poll, answer }));
        break;
      case 'check-connection':
        socket?.console.check();
        break;
      case 'report-visibility':
        socket?.console.send({ type: 'visibility', hidden: effect.hidden });
        break;
      case 'send-help': {
        const { raised, text } = effect.request;
        socket?.console.send({ type: 'help', raised, ...(text ? { text } : {}) });
        break;
      }
      case 'abandon-socket':
        socket?.console.abandon();
        break;
      case 'go-to-sign-in':
        ports.goToSignIn();
        break;
      default:
        effect satisfies never;
    }
  }

  function eventsOf(attempt: number): ConsoleSocketEvents {
    return {
      onOpen: () => dispatch({ type: 'socket-opened', attempt }),
      onControlMessage: (message) => dispatch({ type: 'control-message', attempt, message }),
      onFirstFrame: () => dispatch({ type: 'first-frame', attempt }),
      onClose: (code, reason) => dispatch({ type: 'socket-closed', attempt, code, reason }),
      onDead: () => dispatch({ type: 'connection-dead', attempt }),
    };
  }

  return {
    open: () => dispatch({ type: 'open-requested' }),
    openWithConsent: () => dispatch({ type: 'open-requested', consents: true }),
    extend: () => socket?.console.send({ type: 'extend' }),
    setHelp: (raised, text) => dispatch({ type: 'help-requested', request: { raised, text } }),
    askControl: () => socket?.console.send({ type: 'ask_control' }),
    stop: () => dispatch({ type: 'stopped' }),
    networkChanged: () => dispatch({ type: 'network-changed' }),
    visibilityChanged: () => dispatch({ type: 'visibility-changed' }),
  };
}
