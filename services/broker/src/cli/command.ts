import type { Readable } from 'node:stream';

/** One command of `porthole`. Throws CommandError to report a failure. */
export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** The arguments, and a description. */
  readonly usage: string;
  run(args: readonly string[], io: CommandIo): Promise<void>;
}

/** The parts of the process that commands use. */
export interface CommandIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** `written` is called when the data was passed on. */
  readonly stdout: {
    write(data: string | Uint8Array, written?: (error?: Error | null) => void): unknown;
    readonly isTTY?: boolean;
  };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  exit(code: number): void;
}

/** A failure, with a message for the operator. */
export class CommandError extends Error {}

/** Invalid arguments. */
export class UsageError extends Error {}
