/**
 * `<porthole-console>`: a console of Porthole in another site's page. Has no imports, and is served as it is built, so that
 * one script element is enough. docs/embedding.md describes it.
 */

/** Returns the URL of a console page with a one-time code: `page` in the answer to a grant request. */
export type PageProvider = () => Promise<string>;

type ConsoleEvent = 'open' | 'ended' | 'error';

const events: ReadonlySet<unknown> = new Set<ConsoleEvent>(['open', 'ended', 'error']);

/** For screen readers, where it is another word than in English. */
const titles: Readonly<Record<string, string>> = {
  de: 'Konsole',
  es: 'Consola',
  pt: 'Consola',
  pl: 'Konsola',
  ar: 'وحدة التحكم',
};

export class PortholeConsole extends HTMLElement {
  static readonly observedAttributes = ['src', 'endpoint'];

  /** Is called for each opening, because a URL works once. Takes precedence over the attributes. */
  pageProvider: PageProvider | undefined;

  readonly #root = this.attachShadow({ mode: 'open', delegatesFocus: true });
  #frame = createFrame();
  #origin = '';
  #opening = 0;

  constructor() {
    super();
    // Unlike a style element, allowed by every content security policy.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      ':host{display:block;aspect-ratio:16/10}:host([hidden]){display:none}iframe{display:block;width:100%;height:100%;border:0}',
    );
    this.#root.adoptedStyleSheets = [sheet];
    this.#root.append(this.#frame);
  }

  connectedCallback(): void {
    window.addEventListener('message', this.#onMessage);
    // Scripts can set the provider directly after they have added the element.
    queueMicrotask(() => this.reopen());
  }

  disconnectedCallback(): void {
    window.removeEventListener('message', this.#onMessage);
    this.#opening++;
    this.#replaceFrame();
  }

  attributeChangedCallback(_name: string, before: string | null): void {
    if (this.isConnected && before !== null) this.reopen();
  }

  /** Opens the console, or opens it again with a new URL. */
  reopen(): void {
    const opening = ++this.#opening;
    this.#requestPage().then(
      (page) => {
        if (opening === this.#opening && this.isConnected) this.#show(page);
      },
      () => {
        if (opening === this.#opening) this.#tell('error', { code: 'no_page' });
      },
    );
  }

  /** Sends the keyboard to the machine. */
  override focus(): void {
    this.#frame.focus();
  }

  async #requestPage(): Promise<string> {
    if (this.pageProvider) return this.pageProvider();
    const endpoint = this.getAttribute('endpoint');
    if (endpoint === null) return this.getAttribute('src') ?? '';
    const response = await fetch(endpoint, { method: 'POST', headers: { accept: 'application/json' } });
    return response.ok ? ((await response.json()) as { page: string }).page : '';
  }

  #show(page: string): void {
    const url = new URL(page, 'invalid:');
    if (!/^https?:$/.test(url.protocol)) return this.#tell('error', { code: 'no_page' });
    this.#replaceFrame();
    this.#origin = url.origin;
    this.#frame.src = url.href;
  }

  /** Only the code in the fragment differs between two URLs, and a frame does not load a page again for that. */
  #replaceFrame(): void {
    const next = createFrame();
    this.#frame.replaceWith(next);
    this.#frame = next;
    this.#origin = '';
  }

  /** Only the console's own page may say what happens to it. */
  readonly #onMessage = ({ source, origin, data }: MessageEvent): void => {
    if (source === null || source !== this.#frame.contentWindow || origin !== this.#origin) return;
    const { porthole, code } = (data ?? {}) as { porthole?: unknown; code?: unknown };
    if (!events.has(porthole)) return;
    this.#tell(porthole as ConsoleEvent, typeof code === 'string' ? { code } : {});
    if (porthole === 'open' && this.hasAttribute('autofocus')) this.focus();
  };

  #tell(event: ConsoleEvent, detail: object): void {
    this.dataset['state'] = event;
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}

function createFrame(): HTMLIFrameElement {
  const frame = document.createElement('iframe');
  frame.allow = 'clipboard-read; clipboard-write; fullscreen';
  frame.title = titles[navigator.language.slice(0, 2)] ?? 'Console';
  return frame;
}

if (!customElements.get('porthole-console')) customElements.define('porthole-console', PortholeConsole);
