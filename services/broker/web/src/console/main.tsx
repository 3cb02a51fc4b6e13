import { render } from 'preact';
import { startLanguage } from '../language/current-language.ts';
import { parseConsolePath } from '../paths.ts';
import { invalidAddress } from '../texts/console.ts';
import { startConsolePage } from './console-page.tsx';
import { MachinesLink } from './overlay/card-parts.tsx';

const app = document.getElementById('app');
const target = document.getElementById('screen');
const lastFrame = document.getElementById('last-frame');
const address = parseConsolePath(location.pathname, location.search);
await startLanguage();
if (app && target && lastFrame instanceof HTMLCanvasElement) {
  if (address) startConsolePage(address, { app, target, lastFrame });
  else {
    document.body.dataset['state'] = 'ended';
    render(
      <div class="veil">
        <section class="card">
          <h1>{invalidAddress.title}</h1>
          <p>{invalidAddress.advice}</p>
          <div class="actions">
            <MachinesLink primary />
          </div>
        </section>
      </div>,
      app,
    );
  }
}
