import { systemClock } from '@porthole/shared/time/clock';
import { api } from '../../api.ts';
import { createConnection } from '../../console/connection/connection.ts';
import { openConsoleSocket } from '../../console/connection/console-socket.ts';
import type { View } from '../../console/connection/view.ts';
import { createLastFrame } from '../../console/display/last-frame.ts';
import { createScreen } from '../../console/display/screen.ts';
import { createScreenAdapter } from '../../console/display/screen-adapter.ts';
import { signInPath } from '../../paths.ts';

/** The live screen of one seat, which the user watches until they take control. */
export interface SeatViewer {
  /** Whether input goes to the machine. */
  setControl(control: boolean): void;
  focus(): void;
  /** Tries again after an end. */
  open(): void;
  close(): void;
}

const isVisible = () => document.visibilityState === 'visible';

export function openSeatViewer(options: {
  readonly cluster: string;
  readonly vmid: number;
  /** Without it, the console is view-only for good. */
  readonly mayTakeControl: boolean;
  readonly target: HTMLElement;
  readonly lastFrame: HTMLCanvasElement;
  readonly show: (view: View) => void;
}): SeatViewer {
  const { cluster, vmid, mayTakeControl, target, lastFrame, show } = options;
  const screen = createScreen({
    target,
    lastFrame: createLastFrame(lastFrame),
    viewOnly: true,
    onClipboard() {},
  });
  // The relay's mode says what control would permit. Input waits until this session has control.
  const display = { ...createScreenAdapter(screen), setViewOnly() {} };
  const requested = mayTakeControl
    ? ({ mode: 'control', kind: 'screen', inputWhenTaken: true } as const)
    : ({ mode: 'view', kind: 'screen' } as const);
  const connection = createConnection({
    clock: systemClock,
    random: Math.random,
    online: () => navigator.onLine,
    visible: isVisible,
    requestGrant: (reopens) =>
      api.grant(cluster, vmid, { ...requested, ...(reopens === undefined ? {} : { reopens }) }),
    async machineStatus() {
      const answer = await api.machines();
      if (!answer.ok) return answer;
      const machine = answer.value.consoles.find((each) => each.cluster === cluster && each.vmid === vmid);
      return { ok: true, value: machine?.status };
    },
    openSocket: (grant, events) =>
      openConsoleSocket({ clock: systemClock, visible: isVisible, display }, grant, events),
    goToSignIn: () => location.replace(signInPath(location.pathname + location.search, 'expired')),
    show,
  });
  window.addEventListener('online', connection.networkChanged);
  window.addEventListener('offline', connection.networkChanged);
  document.addEventListener('visibilitychange', connection.visibilityChanged);
  window.addEventListener('pagehide', connection.stop);
  connection.open();
  return {
    setControl: (control) => screen.setViewOnly(!control),
    focus: screen.focus,
    open: connection.open,
    close() {
      window.removeEventListener('online', connection.networkChanged);
      window.removeEventListener('offline', connection.networkChanged);
      document.removeEventListener('visibilitychange', connection.visibilityChanged);
      window.removeEventListener('pagehide', connection.stop);
      connection.stop();
    },
  };
}
