/**
 * The pages are a TypeScript project of their own (DOM, bundler), which the project of the tests can't contain.
 * So the tests load them when they run, and say here what they use of them.
 */
import type { ControlMessage } from '@porthole/shared/control-messages';
import type { Clock } from '@porthole/shared/clock';

export interface Words {
  readonly title: string;
  readonly advice: string;
}

export interface View {
  readonly state: string;
  readonly quiet: boolean;
  readonly supportId: string | undefined;
  readonly close: number | undefined;
  readonly words?: Words;
  readonly retryAt?: number;
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: { readonly code: string; readonly retryAfter?: number } };

export interface LineEvents {
  connected(): void;
  control(message: ControlMessage): void;
  picture(): void;
  closed(code: number, reason: string): void;
}

export interface ConnectionPorts {
  readonly clock: Clock;
  random(): number;
  online(): boolean;
  visible(): boolean;
  askGrant(): Promise<Answer<unknown>>;
  machineStatus(): Promise<Answer<string | undefined>>;
  dial(grant: unknown, events: LineEvents): { close(): void };
  signIn(): void;
  show(view: View): void;
}

export interface Connection {
  open(): void;
  stop(): void;
  networkChanged(): void;
  visibilityChanged(): void;
}

export interface ListedMachine {
  readonly cluster: string;
  readonly node: string;
  readonly type: 'qemu' | 'lxc';
  readonly vmid: number;
  readonly name: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly pool?: string;
  readonly allow: readonly ('view' | 'control')[];
}

export interface Pages {
  'console/connection': { createConnection(ports: ConnectionPorts): Connection };
  'console/control': { parseControl(text: string): ControlMessage | undefined };
  'console/typing': {
    typeCharacter(
      screen: { sendKey(keysym: number, code: string, down?: boolean): void },
      character: string,
    ): void;
  };
  'lobby/arrange': {
    arrange(machines: readonly ListedMachine[]): ListedMachine[];
    matches(machine: ListedMachine, search: string): boolean;
    changed(before: readonly ListedMachine[], after: readonly ListedMachine[]): ListedMachine[];
  };
  'lobby/menu-keys': {
    menuTarget(
      pressed: { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean },
      at: number,
      labels: readonly string[],
    ): number | undefined;
  };
  paths: {
    consolePath(cluster: string, vmid: number, mode?: 'control' | 'view'): string;
    parseConsolePath(
      pathname: string,
      search: string,
    ): { cluster: string; vmid: number; mode: 'control' | 'view' } | undefined;
    safeReturnPath(wanted: string | null, origin: string): string | undefined;
  };
}

export async function loadPage<Name extends keyof Pages>(name: Name): Promise<Pages[Name]> {
  const path: string = `../../services/broker/web/src/${name}.ts`;
  return (await import(path)) as Pages[Name];
}
