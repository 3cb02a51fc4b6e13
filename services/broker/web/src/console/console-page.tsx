import { systemClock } from '@porthole/shared/time/clock';
import { render } from 'preact';
import { onLanguageChange } from '../language/current-language.ts';
import { t } from '../language/t.ts';
import { api, type Answer, type Grant } from '../api.ts';
import { consolePath, signInPath, type ConsoleAddress } from '../paths.ts';
import { App } from './app.tsx';
import { createCalmView } from './connection/calm-view.ts';
import { createConnection, type Connection } from './connection/connection.ts';
import { openConsoleSocket } from './connection/console-socket.ts';
import { createEmbedTokenSource, type EmbedTokenSource } from './connection/embed-token.ts';
import type { View } from './connection/view.ts';
import { createLastFrame } from './display/last-frame.ts';
import { createScreen } from './display/screen.ts';
import { createScreenAdapter } from './display/screen-adapter.ts';
import { createChosenLayouts } from './keyboard/layouts/chosen-layouts.ts';
import { createTypedMeanwhile } from './keyboard/typed-meanwhile.ts';
import { isOutdated } from './notices/screen-mark.tsx';
import { createMachinePower, type MachinePower } from './power/machine-power.ts';
import { createEmbedderNotifier } from './tell-embedder.ts';
import { createTerminal } from './terminal/terminal.ts';

export interface PageElements {
  readonly app: HTMLElement;
  /** Holds the screen or the terminal. */
  readonly target: HTMLElement;
  readonly lastFrame: HTMLCanvasElement;
}

const isVisible = () => document.visibilityState === 'visible';

/** Wires the console page: the only part that uses the page's address, elements and events. */
export function startConsolePage(address: ConsoleAddress, { app, target, lastFrame }: PageElements): void {
  const { cluster, vmid, mode, kind } = address;
  let received = '';
  let view: View | undefined;
  /** What the page shows of it. */
  let calmView: View | undefined;
  let power: MachinePower | undefined;

  const screen = createScreen({
    target,
    lastFrame: createLastFrame(lastFrame),
    typedMeanwhile: createTypedMeanwhile(window, () => performance.now()),
    viewOnly: mode === 'view',
    onClipboard: (text) => {
      received = text;
      update();
    },
  });
  target.dataset['kind'] = kind;
  const terminal =
    kind === 'terminal'
      ? createTerminal({ target, viewOnly: mode === 'view', onSelection: () => update() })
      : undefined;
  const display = terminal ?? createScreenAdapter(screen);
  const chosenLayouts = createChosenLayouts(() => localStorage);
  const machineKey = `${cluster}/${vmid}`;
  let layout = chosenLayouts.read(machineKey);
  const broker = createBrokerRequests(address, startEmbedTokenSource());

  const showCalmly = createCalmView(systemClock, (next) => {
    calmView = next;
    update();
  });

  // Only pages that may embed this one can be around it.
  const tellEmbedder = createEmbedderNotifier(
    window.parent === window ? undefined : (message) => window.parent.postMessage(message, '*'),
  );

  const connection = createConnection({
    clock: systemClock,
    random: Math.random,
    online: () => navigator.onLine,
    visible: isVisible,
    requestGrant: async (reopens, consents) => {
      const answer = await broker.requestGrant(reopens, consents);
      if (answer.ok) updatePower(answer.value);
      return answer;
    },
    machineStatus: broker.machineStatus,
    openSocket: (grant, events) =>
      openConsoleSocket({ clock: systemClock, visible: isVisible, display }, grant, events),
    goToSignIn: () => {
      // A user who had a console was signed in. One who only followed a link may never have been.
      const reason = view?.supportId ? 'expired' : 'needed';
      location.replace(signInPath(consolePath(cluster, vmid, mode, kind), reason));
    },
    show: (next) => {
      view = next;
      showState(view, target);
      tellEmbedder(view);
      // Keys are for the console that comes back at once, and not for the page or for a later time.
      if (view.interruption !== 'brief' || isHeldBack(view)) screen.discardTyped();
      showCalmly(view);
    },
  });

  /** Each grant says what the user may do now. */
  function updatePower({ machine: { name, type }, allow = [] }: Grant): void {
    if (!allow.includes('power')) power = undefined;
    else
      power ??= createMachinePower({
        target: { cluster, vmid, name, type },
        onChange: update,
        onStarted: () => {
          if (view?.state === 'machine-off') connection.open();
        },
      });
  }

  function update(): void {
    if (!calmView) return;
    const name = calmView.machine?.name ?? t('machineNumber', { vmid });
    document.title = `${name} – Porthole`;
    render(
      <App
        view={calmView}
        name={name}
        requestedMode={mode}
        received={received}
        screen={screen}
        terminal={terminal}
        layouts={{
          layout,
          choose(chosen) {
            layout = chosen;
            chosenLayouts.write(machineKey, chosen);
            update();
          },
        }}
        open={connection.open}
        openWithConsent={connection.openWithConsent}
        extend={connection.extend}
        setHelp={connection.setHelp}
        askControl={connection.askControl}
        handBackControl={() => {
          if (view?.supportId) void api.changeControl(view.supportId, 'release');
        }}
        power={power}
      />,
      app,
    );
  }

  onLanguageChange(update);
  followPageEvents(connection);
  connection.open();
}

/** For style sheets and tests. Input that has nowhere to go is blocked. */
function showState(view: View, target: HTMLElement): void {
  const { dataset } = document.body;
  dataset['state'] = view.state;
  dataset['interruption'] = view.interruption;
  dataset['outdated'] = String(isOutdated(view));
  if (view.closeCode !== undefined) dataset['close'] = String(view.closeCode);
  target.inert = view.state !== 'open' || isHeldBack(view);
}

function isHeldBack({ classInfo, sessionInfo }: View): boolean {
  return classInfo.paused !== undefined || sessionInfo.control?.mine === false;
}

function startEmbedTokenSource(): EmbedTokenSource {
  const embedToken = createEmbedTokenSource({
    hash: location.hash,
    stored: (history.state as { readonly embedToken?: unknown } | null)?.embedToken,
    store: (token) => history.replaceState({ embedToken: token }, '', location.pathname + location.search),
    redeemEmbedCode: api.redeemEmbedCode,
  });
  // An embedded page has no list of machines to lead to.
  void embedToken().then((token) => {
    document.body.dataset['embedded'] = String(!token.ok || token.value !== undefined);
  });
  return embedToken;
}

function createBrokerRequests(
  { cluster, vmid, mode, kind }: ConsoleAddress,
  embedToken: EmbedTokenSource,
): {
  requestGrant(reopens: string | undefined, consents: boolean): Promise<Answer<Grant>>;
  machineStatus(): Promise<Answer<string | undefined>>;
} {
  return {
    async requestGrant(reopens, consents) {
      const token = await embedToken();
      if (!token.ok) return token;
      const requested = {
        mode,
        kind,
        ...(reopens === undefined ? {} : { reopens }),
        ...(consents ? { consent: true as const } : {}),
      };
      return api.grant(cluster, vmid, requested, token.value);
    },
    async machineStatus() {
      const token = await embedToken();
      const answer = token.ok ? await api.machines(token.value) : token;
      if (!answer.ok) return answer;
      const machine = answer.value.consoles.find((each) => each.cluster === cluster && each.vmid === vmid);
      return { ok: true, value: machine?.status };
    },
  };
}

/** The listeners stay as long as the page. */
function followPageEvents(connection: Connection): void {
  window.addEventListener('online', connection.networkChanged);
  window.addEventListener('offline', connection.networkChanged);
  document.addEventListener('visibilitychange', connection.visibilityChanged);
  // Frees the console at once, instead of when the relay notices.
  window.addEventListener('pagehide', connection.stop);
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) connection.open();
  });
}
