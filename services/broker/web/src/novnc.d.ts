/**
 * The part of noVNC 1.7 that the console uses, from its docs/API.md. The types on DefinitelyTyped describe
 * another entry point and lack channels.
 */
declare module '@novnc/novnc' {
  /** Replaces the URL: a WebSocket, an RTCDataChannel, or an object with the same members. */
  export interface RawChannel {
    binaryType: string;
    onopen: (() => void) | null;
    onmessage: ((event: { readonly data: ArrayBuffer }) => void) | null;
    onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
    onerror: ((event: unknown) => void) | null;
    readonly protocol: string;
    readonly readyState: number;
    send(data: Uint8Array<ArrayBuffer>): void;
    close(): void;
  }

  export interface RfbOptions {
    readonly shared?: boolean;
    readonly credentials?: { readonly username?: string; readonly password?: string };
    readonly wsProtocols?: readonly string[];
  }

  export interface RfbEvents {
    /** The server's description of the screen was read; pictures follow. */
    connect: CustomEvent<Record<string, never>>;
    disconnect: CustomEvent<{ readonly clean: boolean }>;
    credentialsrequired: CustomEvent<{ readonly types: readonly string[] }>;
    securityfailure: CustomEvent<{ readonly status: number; readonly reason?: string }>;
    clipboard: CustomEvent<{ readonly text: string }>;
    bell: CustomEvent<null>;
    desktopname: CustomEvent<{ readonly name: string }>;
    capabilities: CustomEvent<{ readonly capabilities: { readonly power: boolean } }>;
  }

  export default class RFB {
    constructor(target: HTMLElement, urlOrChannel: string | RawChannel, options?: RfbOptions);
    viewOnly: boolean;
    focusOnClick: boolean;
    clipViewport: boolean;
    dragViewport: boolean;
    scaleViewport: boolean;
    resizeSession: boolean;
    showDotCursor: boolean;
    background: string;
    qualityLevel: number;
    compressionLevel: number;
    disconnect(): void;
    focus(options?: FocusOptions): void;
    blur(): void;
    sendKey(keysym: number, code: string | null, down?: boolean): void;
    sendCtrlAltDel(): void;
    clipboardPasteFrom(text: string): void;
    addEventListener<K extends keyof RfbEvents>(type: K, listener: (event: RfbEvents[K]) => void): void;
    removeEventListener<K extends keyof RfbEvents>(type: K, listener: (event: RfbEvents[K]) => void): void;
  }
}
