import type { Readable } from 'node:stream';

/** One command of the `porthole` program. It says what is wrong by throwing a Fault. */
export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What comes behind the name, and what it means. */
  readonly usage: string;
  run(args: readonly string[], io: CommandIo): Promise<void>;
}

/** What `main.ts` lends of its process. */
export interface CommandIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  exit(code: number): void;
}

/** What went wrong, for whoever typed the command. */
export class CommandError extends Error {}

/** The command was typed in a way that means nothing. */
export class UsageError extends Error {}
