import { systemClock } from '@porthole/shared/time/clock';
import { render } from 'preact';
import { api, type Grant } from '../api.ts';
import { consolePath, parseConsolePath, signInPath, type ConsoleAddress } from '../paths.ts';
import { unreadableAddress } from '../texts.ts';
import { App } from './app.tsx';
import { createConnection } from './connection/connection.ts';
import { openConsoleSocket } from './connection/console-socket.ts';
import { createEmbedTokenSource } from './connection/embed-token.ts';
import { createScreen } from './display/screen.ts';
import { createScreenAdapter } from './display/screen-adapter.ts';
import { createLastFrame } from './display/last-frame.ts';
import { createTerminal } from './terminal/terminal.ts';
import { createMachinePower, type MachinePower } from './power/machine-power.ts';
import type { View } from './connection/view.ts';

/** Wires the console page: the only place that knows the page's address, its elements and its events. */
function start(address: ConsoleAddress, root: HTMLElement, target: HTMLElement, still: HTMLCanvasElement) {
  const { cluster, vmid, mode, kind } = address;
  let received = '';
  let view: View | undefined;
  let power: MachinePower | undefined;

  const screen = createScreen({
    target,
    lastFrame: createLastFrame(still),
    viewOnly: mode === 'view',
    onClipboard: (text) => {
      received = text;
      update();
    },
  });

  const pass = createEmbedTokenSource({
    hash: location.hash,
    stored: (history.state as { readonly pass?: unknown } | null)?.pass,
    store: (kept) => history.replaceState({ pass: kept }, '', location.pathname + location.search),
    redeemEmbedCode: api.redeemEmbedCode,
  });
  // There is no list of machines for somebody whom a program let in.
  void pass().then((held) => {
    document.body.dataset['pass'] = String(!held.ok || held.value !== undefined);
  });
  target.dataset['kind'] = kind;
  const terminal =
    kind === 'terminal'
      ? createTerminal({ target, viewOnly: mode === 'view', onSelection: () => update() })
      : undefined;
  const surface = terminal ?? createScreenAdapter(screen);

  const connection = createConnection({
    clock: systemClock,
    random: Math.random,
    online: () => navigator.onLine,
    visible: () => document.visibilityState === 'visible',
    requestGrant: async () => {
      const held = await pass();
      const answer = held.ok ? await api.grant(cluster, vmid, { mode, kind }, held.value) : held;
      if (answer.ok) learnPower(answer.value);
      return answer;
    },
    machineStatus: async () => {
      const held = await pass();
      const answer = held.ok ? await api.machines(held.value) : held;
      if (!answer.ok) return answer;
      const mine = answer.value.consoles.find((each) => each.cluster === cluster && each.vmid === vmid);
      return { ok: true, value: mine?.status };
    },
    dial: (grant, events) => openConsoleSocket(grant, surface, events),
    goToSignIn: () => {
      // Whoever had a console was signed in; whoever just followed a link may never have been.
      const why = view?.supportId ? 'expired' : 'needed';
      location.replace(signInPath(consolePath(cluster, vmid, mode, kind), why));
    },
    show: (next) => {
      view = next;
      update();
    },
  });

  /** Each grant says what this person may do now. */
  function learnPower({ machine: { name, type }, allow = [] }: Grant) {
    if (!allow.includes('power')) power = undefined;
    else
      power ??= createMachinePower({
        target: { cluster, vmid, name, type },
        show: update,
        started: () => {
          if (view?.state === 'waiting') connection.open();
        },
      });
  }

  function update() {
    if (!view) return;
    const { dataset } = document.body;
    dataset['state'] = view.state;
    dataset['quiet'] = String(view.quiet);
    if (view.closeCode !== undefined) dataset['close'] = String(view.closeCode);
    const name = view.machine?.name ?? `Machine ${vmid}`;
    document.title = `${name} – Porthole`;
    render(
      <App
        view={view}
        name={name}
        wanted={mode}
        received={received}
        screen={screen}
        terminal={terminal}
        open={connection.open}
        extend={connection.extend}
        power={power}
      />,
      root,
    );
  }

  window.addEventListener('online', connection.networkChanged);
  window.addEventListener('offline', connection.networkChanged);
  document.addEventListener('visibilitychange', connection.visibilityChanged);
  // Lets go of the console's place at once, instead of when the relay notices.
  window.addEventListener('pagehide', connection.stop);
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) connection.open();
  });
  connection.open();
}

const root = document.getElementById('app');
const target = document.getElementById('screen');
const still = document.getElementById('still');
const address = parseConsolePath(location.pathname, location.search);
if (root && target && still instanceof HTMLCanvasElement) {
  if (address) start(address, root, target, still);
  else {
    document.body.dataset['state'] = 'ended';
    render(
      <div class="veil">
        <section class="card">
          <h1>{unreadableAddress.title}</h1>
          <p>{unreadableAddress.advice}</p>
          <div class="actions">
            <a class="button primary" href="/">
              Your machines
            </a>
          </div>
        </section>
      </div>,
      root,
    );
  }
}
