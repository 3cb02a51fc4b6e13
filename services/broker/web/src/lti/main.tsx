import { render } from 'preact';
import { startLanguage } from '../language/current-language.ts';
import { t } from '../language/t.ts';
import { basePath } from '../base-path.ts';
import { LaunchPage, type LaunchPorts } from './launch-page.tsx';
import { askPlatform } from './platform-storage.ts';
import type { Step } from './step.ts';

const requestTimeoutMs = 15_000;

const ports: LaunchPorts = {
  askPlatform: (storage, subject, value) =>
    askPlatform(
      {
        window,
        // Not `randomUUID`, which browsers offer to secure pages only.
        messageId: () => [...crypto.getRandomValues(new Uint32Array(4))].join('-'),
        after: (ms, run) => {
          const timer = setTimeout(run, ms);
          return () => clearTimeout(timer);
        },
      },
      storage,
      subject,
      value,
    ),
  async post(path, body) {
    try {
      const response = await fetch(`${basePath}lti/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        credentials: 'same-origin',
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      const step = (await response.json()) as Step | { readonly step?: undefined };
      if (step.step !== undefined) return step;
    } catch {
      // The same for the user.
    }
    return { step: 'error', code: 'network', title: t('lti.portholeSilent'), requestId: '-' };
  },
  goTo: (url) => location.replace(url),
};

const app = document.getElementById('app');
const data = document.getElementById('step')?.textContent;
await startLanguage();
if (app && data) render(<LaunchPage first={JSON.parse(data) as Step} ports={ports} />, app);
